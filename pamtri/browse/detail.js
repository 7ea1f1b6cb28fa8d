"use strict";
// One image, large, with all that is known of it and the other images of its identity.

const STRIP_HEIGHT = 84;
const STRIP_ORDERS = { azimuth: "by azimuth", camera: "by camera" };

class Detail {
  /**
   * `toggled` is called with the name of an overlay, `moved` with the number of another image,
   * `only` with an identity that alone is to be shown, `closed` with the place of the last image.
   */
  constructor({ toggled, only, closed, moved }) {
    this.place = 0;
    Object.assign(this, { toggled, moved, order: [], index: null, stripOrder: has("azimuth") ? "azimuth" : "camera" });
    this.dialog = byId("detail");
    this.stage = byId("stage");
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("next").addEventListener("click", () => this.step(1));
    byId("close-detail").addEventListener("click", () => this.dialog.close());
    byId("only-identity").addEventListener("click", () => only(labelOf("identity", this.index)));
    this.dialog.addEventListener("close", () => closed(this.place));
    this.dialog.addEventListener("keydown", (event) => this.pressKey(event));
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  get open() {
    return this.dialog.open;
  }

  /** Show image number `index` out of `order`, with the overlays that are on. */
  show(index, order, on) {
    const changed = index !== this.index;
    Object.assign(this, { index, order, on });
    const place = order.indexOf(index);
    if (place >= 0) this.place = place;
    if (!this.dialog.open) this.dialog.showModal();
    byId("position").textContent = place < 0 ? "not among the filtered" : `${place + 1} of ${order.length.toLocaleString("en")}`;
    byId("previous").setAttribute("aria-disabled", String(this.place <= 0));
    byId("next").setAttribute("aria-disabled", String(this.place >= order.length - 1));
    byId("detail-name").textContent = labelOf("name", index);
    byId("detail-toggles").replaceChildren(...overlayButtons(on, this.toggled));
    this.draw();
    if (changed) {
      this.showStrip();
      this.showPanel();
    }
  }

  step(by) {
    const place = this.place + by;
    if (place >= 0 && place < this.order.length) this.moved(this.order[place]);
  }

  pressKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowRight") this.step(1);
    else return;
    event.preventDefault();
  }

  draw() {
    if (this.index === null || !this.dialog.open) return;
    const style = getComputedStyle(this.stage);
    const width = this.stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = this.stage.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    if (width <= 0 || height <= 0) return;
    const frame = labelledImage(this.index, width, height, this.on, true);
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", spoken(this.index));
    this.stage.replaceChildren(frame);
  }

  /** The images of the same identity side by side, filtered or not. */
  showStrip() {
    const identity = labelOf("identity", this.index);
    byId("strip").hidden = identity === null;
    if (identity === null) return;
    const all = Array.from({ length: DATA.count }, (_, index) => index).filter((index) => labelOf("identity", index) === identity);
    byId("strip-name").textContent = `Identity ${identity}: ${plural(all.length, "image")}`;
    const orders = Object.entries(STRIP_ORDERS).filter(([label]) => has(label));
    byId("strip-order").hidden = orders.length < 2;
    byId("strip-order").replaceChildren(...orders.map(([label, name]) =>
      make("button", { type: "button", class: "toggle small", "aria-pressed": String(label === this.stripOrder), click: () => {
        this.stripOrder = label;
        this.showStrip();
      } }, name)));
    const images = arranged(all, has(this.stripOrder) ? this.stripOrder : "dataset").map((index) => this.stripImage(index));
    byId("strip-images").replaceChildren(...images);
    byId("strip-images").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  stripImage(index) {
    const [width, height] = labelOf("size", index) ?? [4, 3];
    const wide = Math.max(48, Math.min(200, (STRIP_HEIGHT * width) / height));
    const button = make("button", {
      type: "button", "aria-label": spoken(index), "aria-current": index === this.index ? "true" : null, click: () => this.moved(index),
    }, make("span", { class: "view" }, labelledImage(index, wide, STRIP_HEIGHT, new Set())), make("span", { class: "caption" }, this.stripCaption(index)));
    return make("li", {}, button);
  }

  stripCaption(index) {
    const azimuth = labelOf("azimuth", index);
    const camera = labelOf("camera", index);
    return [azimuth === null ? null : `${shown(azimuth, 0)}°`, camera === null ? null : `cam ${camera}`].filter(Boolean).join(" · ")
      || labelOf("split", index) || "";
  }

  async showPanel() {
    const index = this.index;
    const panel = byId("panel");
    try {
      const record = await wholeRecord(index);
      if (index !== this.index) return;
      const open = new Set([...panel.querySelectorAll("details[open]")].map((part) => part.dataset.part));
      panel.replaceChildren(...panelParts(record, index, (point) => this.mark(point)));
      for (const part of panel.querySelectorAll("details")) part.open = open.has(part.dataset.part);
    } catch (error) {
      if (index === this.index) panel.replaceChildren(make("p", { class: "hint" }, error.message));
    }
  }

  /** Make one keypoint stand out, or none (null). */
  mark(point) {
    for (const sign of this.stage.querySelectorAll(".point.marked")) sign.classList.remove("marked");
    if (point !== null) this.stage.querySelector(`[data-point="${point}"]`)?.classList.add("marked");
  }
}

/** Fields of a record that have a part of their own, or are in the first. */
const TOLD = new Set(["schema_version", "image", "domain", "width", "height", "split", "identity", "camera", "frame", "colour",
  "type", "style", "box", "box_amodal", "keypoints", "mask", "mask_amodal", "segment_mask", "part_mask", "depth", "depth_step_m", "normals", "occlusion", "truncation", "viewpoint", "calibration", "scene"]);

function panelParts(record, index, mark) {
  const others = Object.fromEntries(Object.entries(record).filter(([name]) => !TOLD.has(name)));
  const parts = [factList(mainFacts(record, index))];
  if (record.keypoints) parts.push(fold("keypoints", `Keypoints: ${visiblePoints(record.keypoints)}`, keypointTable(record.keypoints, mark)));
  for (const layer of DATA.layers) {
    const seen = labelOf(`${layer.field}:seen`, index);
    if (seen?.length) parts.push(fold(layer.field, `${layer.word}: ${seen.length} visible`, layerLegend(layer, seen)));
  }
  if (record.calibration) parts.push(fold("calibration", "Calibration", factList(flat(record.calibration))));
  if (Object.keys(others).length) parts.push(fold("others", "More labels", factList(flat(others))));
  if (record.scene) parts.push(make("h3", {}, "Sampled factors"), ...sceneParts(record.scene));
  return parts;
}

function sceneParts(scene) {
  const single = Object.fromEntries(Object.entries(scene).filter(([name, value]) => name !== "schema_version" && !isTree(value)));
  const parts = Object.keys(single).length ? [factList(flat(single))] : [];
  for (const [name, value] of Object.entries(scene)) {
    if (!isTree(value)) continue;
    const facts = flat(value);
    const count = Array.isArray(value) ? value.length : facts.length;
    if (count) parts.push(fold(`scene.${name}`, `${words(name)} (${count})`, factList(facts)));
  }
  return parts;
}

function fold(part, title, ...content) {
  return make("details", { "data-part": part }, make("summary", {}, title), ...content);
}

function factList(facts) {
  return make("dl", { class: "facts" }, ...facts.flatMap(([name, value]) =>
    [make("dt", {}, name), make("dd", {}, ...(Array.isArray(value) ? value : [value]))]));
}

function mainFacts(record, index) {
  const view = record.viewpoint ?? {};
  const pixels = (box) => box.map((v) => shown(v)).join(", ");
  const link = labelOf("link", index);
  const facts = [
    ["File", link === null ? record.image : make("a", { href: link, target: "_blank", rel: "noopener" }, record.image)],
    ["Size", labelOf("size", index) && `${labelOf("size", index).join(" × ")} px`],
    ["Origin", record.domain],
    ["Split", record.split],
    ["Identity", record.identity],
    ["Camera", record.camera],
    ["Frame", record.frame],
    ["Colour", record.colour && [paintSwatch(record.colour), record.colour]],
    ["Type", record.type && [...new Set([record.type, record.style])].filter(Boolean).map(words).join(", ")],
    ["Style", record.type ? null : record.style],
    ["Azimuth", view.azimuth_deg === undefined ? null : [compass(view.azimuth_deg), `${shown(view.azimuth_deg)}°`]],
    ["Elevation", degrees(view.elevation_deg)],
    ["Roll", degrees(view.roll_deg)],
    ["Distance", view.distance_m === undefined ? null : `${shown(view.distance_m)} m`],
    ["Occlusion", percent(record.occlusion)],
    ["Truncation", percent(record.truncation)],
    ["Box", record.box && pixels(record.box)],
    ["Whole box", record.box_amodal && pixels(record.box_amodal)],
  ];
  return facts.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) =>
    [name, typeof value === "number" ? String(value) : value]);
}

function degrees(value) {
  return value === undefined ? null : `${shown(value)}°`;
}

function percent(value) {
  return value === undefined ? null : `${shown(100 * value)} %`;
}

function paintSwatch(colour) {
  const swatch = make("i", { class: "swatch" });
  swatch.style.background = PAINTS[colour] ?? "transparent";
  return swatch;
}

/** The vehicle from above, its front up, and where the camera stands. */
function compass(azimuth) {
  const [cx, cy] = around(azimuth, 10.5);
  return shape("svg", { class: "compass", viewBox: "-14 -14 28 28", width: 28, height: 28, "aria-hidden": "true" },
    shape("circle", { r: 10.5 }), shape("path", { d: "M-3-4.500q3-3 6 0v10q-3 1-6 0z" }), shape("circle", { class: "camera", cx, cy, r: 3 }));
}

function visiblePoints({ visibility }) {
  return `${[...visibility].filter((letter) => letter === "v").length} of ${visibility.length} visible`;
}

function keypointTable({ xy, visibility, confidence }, mark) {
  const rows = xy.map(([x, y], point) => make("tr", { "data-row": point, mouseenter: () => mark(point), mouseleave: () => mark(null) },
    make("td", {}, inlineSign(visibility[point])),
    make("th", { scope: "row" }, words(DATA.keypoints[point]), make("small", {}, VISIBILITIES[visibility[point]].word)),
    make("td", {}, shown(x)), make("td", {}, shown(y)), confidence ? make("td", {}, shown(confidence[point], 2)) : null));
  const heads = ["point", "x", "y", ...(confidence ? ["sure"] : [])];
  return make("table", {}, make("thead", {}, make("tr", {}, make("td"), ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows));
}

function layerLegend({ names, colours }, seen) {
  return make("ul", { class: "legend-list" }, ...seen.map((value) => {
    const swatch = make("i", { class: "swatch" });
    swatch.style.background = colours[value];
    return make("li", {}, swatch, words(names[value]));
  }));
}

function words(name) {
  return name.replaceAll("_", " ");
}

function isTree(value) {
  return value !== null && typeof value === "object" && !isRow(value);
}

/** Whether a value is a short list of plain values, to be told on one line. */
function isRow(value) {
  return Array.isArray(value) && value.length > 0 && value.length <= 6 && value.every((v) => v === null || typeof v !== "object");
}

/** [[dotted name, value], ...] of everything in a tree. */
function flat(tree, prefix = "") {
  return Object.entries(tree).flatMap(([name, value]) => {
    const path = Array.isArray(tree) ? `${prefix}${Number(name) + 1}` : prefix + name;
    if (!isTree(value)) return [[words(path), factText(name, value)]];
    const below = flat(value, `${path}.`);
    return below.length ? below : [[words(path), "none"]];
  });
}

function factText(name, value) {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (!Array.isArray(value)) return String(value);
  const text = value.map(String).join(", ");
  const isPaint = ["rgb", "colour"].includes(name) && value.length === 3 && value.every((v) => v >= 0 && v <= 1);
  if (!isPaint) return text;
  const swatch = make("i", { class: "swatch" });
  swatch.style.background = `color(srgb-linear ${value.join(" ")})`;
  return [swatch, text];
}
