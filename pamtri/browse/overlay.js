"use strict";
// Labels drawn over an image. Records count pixels from the image's top left corner.

/** What can be laid over: its key, its name, and the columns that it needs one of. */
const OVERLAYS = {
  keypoints: { key: "k", name: "Keypoints", needs: ["points"] },
  skeleton: { key: "l", name: "Lines", needs: ["points"] },
  box: { key: "b", name: "Box", needs: ["box", "wholeBox"] },
};
for (const { field, word, key } of DATA.layers) OVERLAYS[field] = { key, name: word, needs: [field] };
OVERLAYS.segment_mask.needs.push("points"); // polygons between keypoints for want of a mask

/** By letter: the word, and the outline of the sign about a point. */
const VISIBILITIES = {
  v: { word: "visible", outline: circle },
  s: { word: "behind the vehicle itself", outline: circle },
  o: { word: "behind something else", outline: (x, y, r) => polyline(x, y, r, [-0.9, -0.9, 0.9, 0.9]) + polyline(x, y, r, [0.9, -0.9, -0.9, 0.9]) },
  t: { word: "outside the image", outline: (x, y, r) => `${polyline(x, y, r, [0, -1.1, 1.05, 0.8, -1.05, 0.8])}Z` },
  h: { word: "not visible", outline: (x, y, r) => circle(x, y, 0.55 * r) },
};

function circle(x, y, r) {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

function polyline(x, y, r, corners) {
  const at = (i) => `${x + r * corners[i]} ${y + r * corners[i + 1]}`;
  return `M${at(0)}${corners.slice(2).map((_, i) => (i % 2 ? "" : `L${at(i + 2)}`)).join("")}`;
}

function available(overlay) {
  return OVERLAYS[overlay].needs.some(has);
}

/** The image with the labels that are on, `width` x `height` pixels at most; null while unknown. */
function labelledImage(index, width, height, on, large = false) {
  const link = labelOf("link", index);
  const size = labelOf("size", index);
  if (link === null || size === null) return missing();
  const scale = Math.min(width / size[0], height / size[1]);
  const frame = make("span", { class: "frame" });
  frame.style.width = `${size[0] * scale}px`;
  frame.style.height = `${size[1] * scale}px`;
  frame.append(picture(link, large, () => frame.replaceWith(missing())));
  for (const { field } of DATA.layers) {
    const layer = on.has(field) ? labelOf(field, index) : null;
    if (layer !== null) frame.append(make("img", { class: "mask", src: layer, alt: "", loading: "lazy", decoding: "async" }));
  }
  frame.append(drawing(index, size, scale, on, large));
  return frame;
}

function missing() {
  return make("span", { class: "missing" }, "image missing");
}

function picture(link, large, failed) {
  return make("img", { src: link, alt: "", loading: large ? "eager" : "lazy", decoding: "async", draggable: "false", error: failed });
}

function drawing(index, [width, height], scale, on, large) {
  const [w, h] = [width * scale, height * scale];
  const svg = shape("svg", { class: "labels", viewBox: `0 0 ${w} ${h}`, width: w, height: h, "aria-hidden": "true" });
  if (on.has("segment_mask") && labelOf("segment_mask", index) === null) drawSegments(svg, index, scale);
  if (on.has("box")) {
    drawBox(svg, labelOf("wholeBox", index), scale, "box whole");
    drawBox(svg, labelOf("box", index), scale, "box");
  }
  if (on.has("skeleton")) drawSkeleton(svg, index, scale);
  if (on.has("keypoints")) drawKeypoints(svg, index, scale, large ? 5.5 : Math.max(2, Math.min(4, w / 55)), large);
  return svg;
}

function drawBox(svg, box, scale, style) {
  if (!box) return;
  const [left, top, right, bottom] = box.map((v) => v * scale);
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  svg.append(shape("rect", { class: `halo ${style}`, ...place }), shape("rect", { class: style, ...place }));
}

/** The segments' corners where all four are visible, for want of a mask. */
function drawSegments(svg, index, scale) {
  const points = labelOf("points", index);
  const visibility = labelOf("visibility", index);
  if (!points) return;
  const { names, colours } = DATA.layers.find(({ field }) => field === "segment_mask");
  for (const [segment, corners] of DATA.corners.entries()) {
    if (corners.some((corner) => visibility[corner] !== "v")) continue;
    const outline = corners.map((c) => `${points[2 * c] * scale},${points[2 * c + 1] * scale}`).join(" ");
    svg.append(shape("polygon", { class: "segment", points: outline, fill: colours[segment], stroke: colours[segment] },
      shape("title", {}, words(names[segment]))));
  }
}

/** Solid between visible points, dashed where one end cannot be seen. */
function drawSkeleton(svg, index, scale) {
  const points = labelOf("points", index);
  const visibility = labelOf("visibility", index);
  if (!points) return;
  const lines = { seen: "", unseen: "" };
  for (const [a, b] of DATA.skeleton) {
    if (visibility[a] === "h" || visibility[b] === "h") continue;
    const ends = [a, b].map((p) => `${points[2 * p] * scale} ${points[2 * p + 1] * scale}`);
    lines[visibility[a] === "v" && visibility[b] === "v" ? "seen" : "unseen"] += `M${ends[0]}L${ends[1]}`;
  }
  for (const [style, d] of Object.entries(lines)) {
    if (d) svg.append(shape("path", { class: `halo bone ${style}`, d }), shape("path", { class: `bone ${style}`, d }));
  }
}

/** In the large view each has an element of its own, with its name; else all of a kind are one. */
function drawKeypoints(svg, index, scale, radius, large) {
  const points = labelOf("points", index);
  const visibility = labelOf("visibility", index);
  if (!points) return;
  for (const letter of "htosv") {
    const { word, outline } = VISIBILITIES[letter];
    const members = [...visibility].flatMap((other, point) => (other === letter ? [point] : []));
    const outlines = members.map((p) => outline(points[2 * p] * scale, points[2 * p + 1] * scale, radius));
    if (!large && members.length) svg.append(keypointSign(letter, outlines.join("")));
    if (!large) continue;
    members.forEach((point, place) => {
      const sign = keypointSign(letter, outlines[place]);
      sign.setAttribute("data-point", point);
      sign.append(shape("title", {}, `${point} ${words(DATA.keypoints[point])}: ${word}`));
      svg.append(sign);
    });
  }
}

function keypointSign(letter, d) {
  return shape("g", { class: `point ${letter}` }, shape("path", { class: "under", d }), shape("path", { d }));
}

/** A sign to stand in a line of text. */
function inlineSign(letter) {
  return shape("svg", { class: "sign", viewBox: "0 0 18 18", width: 18, height: 18, "aria-hidden": "true" },
    keypointSign(letter, VISIBILITIES[letter].outline(9, 9, 5)));
}

/** Buttons that turn the labels on and off; `changed` is called with the name of one. */
function overlayButtons(on, changed) {
  return Object.entries(OVERLAYS).filter(([name]) => available(name)).map(([name, overlay]) =>
    make("button", {
      type: "button", class: "toggle", "data-overlay": name, "aria-pressed": String(on.has(name)),
      "aria-keyshortcuts": overlay.key, title: `${overlay.name} (${overlay.key})`, click: () => changed(name),
    }, overlay.name));
}
