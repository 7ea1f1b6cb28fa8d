"use strict";
// The azimuth control: the vehicle from above, its front up, and how many images were taken from
// each direction. Azimuth is 0 at the front and grows towards the vehicle's left side.

const ROSE_BINS = 24;
const RING = 88;

/** The point at an azimuth in degrees and a distance from the middle. */
function around(azimuth, radius) {
  const angle = (azimuth * Math.PI) / 180;
  return [-radius * Math.sin(angle), -radius * Math.cos(angle)];
}

/** A ring's part between two azimuths and two radii, as a path. */
function sector(from, to, inner, outer) {
  const wide = to - from > 180 ? 1 : 0;
  const at = (azimuth, radius) => around(azimuth, radius).map((v) => v.toFixed(2)).join(" ");
  return `M${at(from, inner)}L${at(from, outer)}A${outer} ${outer} 0 ${wide} 0 ${at(to, outer)}`
    + `L${at(to, inner)}A${inner} ${inner} 0 ${wide} 1 ${at(from, inner)}Z`;
}

function turned(degrees) {
  return ((Math.round(degrees) % 360) + 360) % 360;
}

class Rose {
  /** `changed` is called with [from, to] in whole degrees, or null for all around. */
  constructor(changed) {
    this.changed = changed;
    this.arc = null;
    this.petals = Array.from({ length: ROSE_BINS }, () => shape("path", { class: "petal" }, shape("title")));
    this.band = shape("path", { class: "band" });
    this.handles = ["from", "to"].map((end) => shape("circle", {
      class: "handle", r: 7, tabindex: 0, role: "slider", "aria-label": `Azimuth ${end}, degrees`,
      "aria-valuemin": 0, "aria-valuemax": 359, keydown: (event) => this.pressKey(event, end),
    }));
    this.svg = shape("svg", { class: "rose", viewBox: "-112 -112 224 224", role: "group", "aria-label": "Azimuth" },
      shape("circle", { class: "ring", r: RING }), ...this.petals, this.vehicle(), this.band, ...this.words(), ...this.handles);
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.inputs = ["from", "to"].map((end, place) => make("input", {
      type: "number", min: 0, max: 360, step: 1, inputmode: "numeric", placeholder: place ? "360" : "0",
      focus: (event) => event.target.select(), change: () => this.typed(),
    }));
    this.element = make("div", {}, this.svg, this.presets(), make("div", { class: "arc" },
      make("label", {}, "from ", this.inputs[0], "°"), make("label", {}, "to ", this.inputs[1], "°")));
  }

  vehicle() {
    return shape("g", { class: "vehicle", "aria-hidden": "true" },
      shape("path", { d: "M-7-17q7-5 14 0q2 1 2 5v23q0 4-2 5.500q-7 3-14 0q-2-1.500-2-5.500v-23q0-4 2-5z" }),
      shape("path", { class: "glass", d: "M-7-6q7-4 14 0l-1.500 5q-5.500-2-11 0zM-6 9q6 2 12 0l.8 4q-6.800 2.500-13.600 0z" }));
  }

  words() {
    return [["front", 0], ["left", 90], ["rear", 180], ["right", 270]].map(([word, azimuth]) => {
      const [x, y] = around(azimuth, 103);
      const turn = azimuth === 90 ? -90 : azimuth === 270 ? 90 : 0;
      return shape("text", { transform: `translate(${x} ${y}) rotate(${turn})`, "aria-hidden": "true" }, word);
    });
  }

  presets() {
    const sides = [["Front", 0], ["Left", 90], ["Rear", 180], ["Right", 270]];
    return make("div", { class: "presets" },
      ...sides.map(([word, azimuth]) => make("button", {
        type: "button", class: "button small", click: () => this.change([turned(azimuth - 45), turned(azimuth + 45)]),
      }, word)),
      make("button", { type: "button", class: "button small", click: () => this.change(null) }, "All"));
  }

  /** Show an arc (null for none) and the number of images in each direction. */
  show(arc, counts) {
    this.arc = arc;
    const most = Math.max(1, ...counts);
    const step = 360 / ROSE_BINS;
    this.petals.forEach((petal, bin) => {
      const [from, to] = [bin * step, (bin + 1) * step];
      petal.setAttribute("d", sector(from + 0.8, to - 0.8, 27, 27 + (RING - 33) * (counts[bin] / most)));
      petal.classList.toggle("outside", arc !== null && !inArc((from + to) / 2, arc));
      petal.firstChild.textContent = `${from}° to ${to}°: ${plural(counts[bin], "image")}`;
    });
    this.band.setAttribute("d", arc ? sector(arc[0], arc[0] + turned(arc[1] - arc[0]), RING - 3, RING + 3) : "");
    this.handles.forEach((handle, place) => {
      const azimuth = arc ? arc[place] : 0;
      const [x, y] = around(azimuth, RING);
      handle.setAttribute("cx", x);
      handle.setAttribute("cy", y);
      handle.setAttribute("aria-valuenow", azimuth);
      handle.setAttribute("aria-valuetext", arc ? `${azimuth}°` : "all around");
      this.inputs[place].value = arc ? azimuth : "";
    });
  }

  change(arc) {
    const whole = arc && arc[0] === arc[1];
    this.changed(whole ? null : arc);
  }

  /** Both ends make an arc, none the whole; with one the other is waited for. */
  typed() {
    const given = this.inputs.map((input) => input.value).filter((value) => value !== "");
    if (given.length === 2) this.change(given.map((value) => turned(Number(value))));
    else if (!given.length) this.change(null);
  }

  pressKey(event, end) {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 15, PageDown: -15 };
    if (event.key === "Escape" || event.key === "Delete") return this.change(null);
    if (!(event.key in steps)) return undefined;
    event.preventDefault();
    const arc = this.arc ?? (end === "from" ? [0, 359] : [0, 360]);
    const place = end === "from" ? 0 : 1;
    const next = [...arc];
    next[place] = turned(next[place] + steps[event.key]);
    return this.change(next);
  }

  azimuthAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    return (Math.atan2(-x, -y) * 180) / Math.PI;
  }

  /** Drag an end of the arc, drag a new arc, or pick the direction that was tapped. */
  press(event) {
    if (event.button !== 0) return;
    const end = this.arc ? this.handles.indexOf(event.target) : -1;
    const start = this.azimuthAt(event);
    let last = start;
    let total = 0;
    const move = (moved) => {
      const now = this.azimuthAt(moved);
      total += ((now - last + 540) % 360) - 180;
      last = now;
      if (end >= 0) this.change(this.arc.map((v, place) => (place === end ? turned(now) : v)));
      else if (Math.abs(total) >= 360) this.change(null);
      else if (Math.abs(total) > 4) this.change([turned(Math.min(start, start + total)), turned(Math.max(start, start + total))]);
    };
    const stop = () => {
      this.svg.removeEventListener("pointermove", move);
      this.svg.removeEventListener("pointercancel", stop);
      this.svg.removeEventListener("pointerup", stop);
      if (end < 0 && Math.abs(total) <= 4) this.tap(turned(start));
    };
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointercancel", stop);
    this.svg.addEventListener("pointerup", stop);
  }

  tap(azimuth) {
    const step = 360 / ROSE_BINS;
    const from = Math.floor(azimuth / step) * step;
    this.change([from, (from + step) % 360]);
  }
}
