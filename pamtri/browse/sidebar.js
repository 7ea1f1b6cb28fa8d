"use strict";
// The filters beside the images.

const FACETS = { split: "Split", domain: "Real or synthetic", type: "Type", colour: "Colour", camera: "Camera" };
const OCCLUSION_BINS = 20;

/** Vehicle colours as people picture them. */
const PAINTS = {
  yellow: "#f2c811", orange: "#f28020", green: "#2f8f4e", gray: "#8b9097", red: "#c8232c",
  blue: "#2459c4", white: "#ffffff", golden: "#c6a152", brown: "#7a4b2a", black: "#16181b",
};

class Sidebar {
  /** `changed` is called after `filters` have been changed here. */
  constructor(element, filters, changed) {
    this.filters = filters;
    this.changed = changed;
    this.boxes = {};
    for (const label of CHOICES) {
      if (has(label) && valuesOf(label).length > 1) element.append(this.choice(label));
    }
    if (has("identity")) element.append(this.identity());
    if (has("azimuth")) {
      this.rose = new Rose((arc) => {
        filters.azimuth = arc;
        changed();
      });
      element.append(make("fieldset", { class: "facet" }, make("legend", {}, "Azimuth of the camera"), this.rose.element));
    }
    if (has("occlusion")) element.append(this.occlusion());
  }

  choice(label) {
    const values = valuesOf(label);
    this.boxes[label] = values.map((value) => {
      const input = make("input", { type: "checkbox", name: label, value: value ?? UNKNOWN, change: () => {
        const chosen = this.filters.chosen[label];
        if (input.checked) chosen.add(value);
        else chosen.delete(value);
        this.changed();
      } });
      const count = make("span", { class: "number" });
      const swatch = label === "colour" && value in PAINTS ? make("i", { class: "swatch" }) : null;
      if (swatch) swatch.style.background = PAINTS[value];
      const row = make("label", { class: "choice" }, input, swatch, make("span", { class: "word" }, String(value ?? UNKNOWN)), count);
      return { value, input, count, row };
    });
    const narrow = label === "camera" && values.length > 8;
    return make("fieldset", { class: `facet ${narrow ? "narrow" : ""}` }, make("legend", {}, FACETS[label]),
      make("div", { class: "choices" }, ...this.boxes[label].map(({ row }) => row)));
  }

  identity() {
    this.identityInput = make("input", {
      type: "text", id: "identity", placeholder: "all, or as in 3, 17, 40-60", autocomplete: "off", spellcheck: "false",
      "aria-describedby": "identity-hint", input: () => {
        this.filters.identities = this.identityInput.value.trim();
        this.changed();
      },
    });
    this.identityHint = make("p", { id: "identity-hint", class: "hint" });
    return make("div", { class: "facet" }, make("label", { class: "legend", for: "identity" }, "Identity"), this.identityInput, this.identityHint);
  }

  occlusion() {
    this.bars = Array.from({ length: OCCLUSION_BINS }, () => make("i"));
    this.ends = ["least", "most"].map((word, place) => make("input", {
      type: "range", min: 0, max: 100, step: 1, "aria-label": `Occlusion, at ${word}, percent`, input: () => {
        const [low, high] = this.ends.map((end) => Number(end.value));
        this.filters.occlusion = place ? [Math.min(low, high), high] : [low, Math.max(low, high)];
        this.changed();
      },
    }));
    this.occlusionText = make("output", {});
    return make("fieldset", { class: "facet" }, make("legend", {}, "Occlusion ", this.occlusionText),
      make("div", { class: "bars", "aria-hidden": "true" }, ...this.bars), make("div", { class: "range" }, ...this.ends));
  }

  /** Show what the filters are, and how many images each value would leave. */
  show() {
    for (const [label, boxes] of Object.entries(this.boxes)) {
      const counts = this.filters.counts(label);
      for (const { value, input, count, row } of boxes) {
        input.checked = this.filters.chosen[label].has(value);
        count.textContent = (counts.get(value) ?? 0).toLocaleString("en");
        row.classList.toggle("empty", !counts.get(value));
      }
    }
    if (this.identityInput) this.showIdentity();
    this.rose?.show(this.filters.azimuth, this.filters.histogram("azimuth", ROSE_BINS, 360));
    if (this.bars) this.showOcclusion();
  }

  showIdentity() {
    const text = this.filters.identities;
    if (this.identityInput.value.trim() !== text) this.identityInput.value = text;
    const wrong = parseRanges(text) === null;
    this.identityInput.setAttribute("aria-invalid", String(wrong));
    const known = [...this.filters.counts("identity").keys()].filter((value) => value !== null).sort((a, b) => a - b);
    this.identityHint.textContent = wrong ? "Numbers and ranges, as in 3, 17, 40-60"
      : known.length ? `${plural(known.length, "identity", "identities")}, from ${known[0]} to ${known[known.length - 1]}` : "";
  }

  showOcclusion() {
    const counts = this.filters.histogram("occlusion", OCCLUSION_BINS, 1);
    const [low, high] = this.filters.occlusion;
    const most = Math.sqrt(Math.max(1, ...counts));
    this.bars.forEach((bar, bin) => {
      bar.style.height = `${counts[bin] ? Math.max(6, (100 * Math.sqrt(counts[bin])) / most) : 0}%`;
      bar.classList.toggle("outside", (bin + 1) * 5 <= low || bin * 5 > high);
    });
    this.ends.forEach((end, place) => { end.value = this.filters.occlusion[place]; });
    this.occlusionText.textContent = `${low} to ${high} %`;
  }
}
