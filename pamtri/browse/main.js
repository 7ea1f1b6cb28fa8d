"use strict";
// Puts the page together: what is shown follows from the filters, the order and the overlays, all
// of which are in the address, so that it can be kept, sent and gone back to.

const filters = new Filters();
const view = { order: "dataset", together: false, tile: innerWidth < 740 ? 160 : 190, on: new Set(["keypoints", "box"].filter(available)) };
let order = [];

const sidebar = new Sidebar(byId("facets"), filters, () => refresh());
const grid = new Grid(byId("grid"), byId("images"), openImage);
const detail = new Detail({
  toggled: toggle,
  moved: openImage,
  only: (identity) => {
    filters.clear();
    filters.identities = String(identity);
    view.order = detail.stripOrder;
    detail.dialog.close();
    refresh();
  },
  closed: (place) => {
    detail.index = null;
    writeAddress();
    if (order.length) grid.focus(Math.min(place ?? 0, order.length - 1));
  },
});

/** Show what the filters and the view say now. */
function refresh() {
  const indices = arranged(filters.passing(), view.order);
  const groups = view.together
    ? byIdentity(indices).map((group) => ({ indices: group.indices, heading: groupHeading(group) }))
    : [{ indices }];
  order = groups.flatMap((group) => group.indices);
  sidebar.show();
  showStatus();
  byId("toggles").replaceChildren(...overlayButtons(view.on, toggle));
  byId("arrange").value = view.order;
  byId("together").checked = view.together;
  byId("tile").value = view.tile;
  grid.show(groups, view.on, view.tile);
  writeAddress();
}

function groupHeading({ identity, indices }) {
  if (identity === null) return { title: "Identity unknown", text: plural(indices.length, "image") };
  const first = indices[0];
  const cameras = new Set(indices.map((index) => labelOf("camera", index)).filter((camera) => camera !== null));
  const facts = [
    [labelOf("colour", first), labelOf("type", first)].filter(Boolean).join(" "),
    plural(indices.length, "image"),
    cameras.size ? plural(cameras.size, "camera") : "",
  ];
  return { title: `Identity ${identity}`, text: facts.filter(Boolean).join(" · ") };
}

function showStatus() {
  const all = DATA.count.toLocaleString("en");
  byId("count").textContent = order.length === DATA.count ? `All ${plural(DATA.count, "image")}` : `${order.length.toLocaleString("en")} of ${all} images`;
  byId("close-filters").textContent = `Show ${plural(order.length, "image")}`;
  byId("none").hidden = order.length > 0;
  const chips = activeFilters();
  byId("chips").replaceChildren(...chips.map(({ text, drop }) => make("button", {
    type: "button", class: "chip", "aria-label": `Remove the filter ${text}`, click: () => {
      drop();
      refresh();
    },
  }, text, make("span", { "aria-hidden": "true" }, "✕"))));
  byId("clear").disabled = !chips.length;
  byId("open-filters").textContent = chips.length ? `Filters (${chips.length})` : "Filters";
}

/** What is filtered by, in words, and how to stop it. */
function activeFilters() {
  const chips = [];
  for (const label of CHOICES) {
    for (const value of filters.chosen[label]) {
      chips.push({ text: `${FACETS[label]}: ${value ?? UNKNOWN}`, drop: () => filters.chosen[label].delete(value) });
    }
  }
  if (parseRanges(filters.identities)?.length) {
    chips.push({ text: `Identity: ${filters.identities}`, drop: () => { filters.identities = ""; } });
  }
  if (filters.azimuth) {
    chips.push({ text: `Azimuth: ${filters.azimuth.map((v) => `${v}°`).join(" to ")}`, drop: () => { filters.azimuth = null; } });
  }
  const [low, high] = filters.occlusion;
  if (low > 0 || high < 100) chips.push({ text: `Occlusion: ${low} to ${high} %`, drop: () => { filters.occlusion = [0, 100]; } });
  return chips;
}

function clearFilters() {
  filters.clear();
  refresh();
}

function toggle(overlay) {
  if (view.on.has(overlay)) view.on.delete(overlay);
  else view.on.add(overlay);
  const focused = document.activeElement?.dataset?.overlay;
  refresh();
  if (detail.open) detail.show(detail.index, order, view.on);
  if (focused) byId(detail.open ? "detail-toggles" : "toggles").querySelector(`[data-overlay="${focused}"]`)?.focus();
}

function openImage(index) {
  detail.show(index, order, view.on);
  writeAddress();
}

/** What the address says after its #. */
function address() {
  const words = new URLSearchParams();
  for (const label of CHOICES) {
    for (const value of filters.chosen[label]) words.append(label, value ?? "");
  }
  if (filters.identities) words.set("identity", filters.identities);
  if (filters.azimuth) words.set("azimuth", filters.azimuth.join("-"));
  if (filters.occlusion[0] > 0 || filters.occlusion[1] < 100) words.set("occlusion", filters.occlusion.join("-"));
  words.set("order", view.order);
  if (view.together) words.set("together", "1");
  words.set("tile", view.tile);
  words.set("labels", [...view.on].join(","));
  if (detail.index !== null) words.set("image", labelOf("name", detail.index));
  return words.toString();
}

let writing = 0;

/** A little later, as browsers allow few changes a second. */
function writeAddress() {
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", `#${address()}`), 250);
}

/** Take filters and view from the address; what makes no sense there is passed over. */
function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  for (const label of CHOICES) {
    const known = new Map((has(label) ? valuesOf(label) : []).map((value) => [String(value ?? ""), value]));
    filters.chosen[label] = new Set(words.getAll(label).filter((word) => known.has(word)).map((word) => known.get(word)));
  }
  filters.identities = words.get("identity") ?? "";
  filters.azimuth = pair(words.get("azimuth"), 360);
  filters.occlusion = pair(words.get("occlusion"), 100) ?? [0, 100];
  if (Object.hasOwn(ORDERS, words.get("order") ?? "")) view.order = words.get("order");
  view.together = words.get("together") === "1";
  view.tile = Math.min(420, Math.max(90, Number(words.get("tile")) || view.tile));
  if (words.has("labels")) view.on = new Set(words.get("labels").split(",").filter((name) => Object.hasOwn(OVERLAYS, name) && available(name)));
  return words.has("image") ? DATA.columns.name.indexOf(words.get("image")) : -1;
}

/** `330-30` as [330, 30]; null when it is no such pair of whole numbers up to `most`. */
function pair(text, most) {
  const found = /^(\d+)-(\d+)$/.exec(text ?? "");
  const numbers = found ? [Number(found[1]), Number(found[2])] : null;
  return numbers?.every((number) => number <= most) ? numbers : null;
}

function start() {
  document.title = `${DATA.name}: ${plural(DATA.count, "image")}`;
  byId("name").textContent = DATA.name;
  const facts = [plural(DATA.count, "image")];
  for (const [label, word, words] of [["identity", "identity", "identities"], ["camera", "camera", "cameras"]]) {
    if (has(label)) facts.push(plural(valuesOf(label).filter((value) => value !== null).length, word, words));
  }
  byId("facts").textContent = facts.join(" · ");
  byId("arrange").append(...Object.entries(ORDERS).filter(([, { label }]) => !label || has(label)).map(([value, { name }]) => make("option", { value }, name)));
  byId("together-label").hidden = !has("identity");
  byId("help-text").append(...helpParts());
  showAddress();
}

function showAddress() {
  const image = readAddress();
  refresh();
  if (image >= 0) openImage(image);
  else if (detail.open) detail.dialog.close();
}

function helpParts() {
  const keys = [
    ["← → ↑ ↓", "from image to image"], ["Enter", "open the image"], ["Esc", "close it"], ["← →", "in an open image: the one before, the next"],
    ...Object.entries(OVERLAYS).filter(([name]) => available(name)).map(([, { key, name }]) => [key, `${name.toLowerCase()} on and off`]),
    ["/", "to the filters"], ["?", "this help"],
  ];
  const signs = Object.entries(VISIBILITIES).map(([letter, { word }]) => make("li", {}, inlineSign(letter), word));
  const parts = [make("dl", { class: "keys" }, ...keys.flatMap(([key, does]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, does)]))];
  if (has("points")) parts.push(make("h3", {}, "Keypoints"), make("ul", { class: "legend-list" }, ...signs));
  if (has("wholeBox")) parts.push(make("p", { class: "hint" }, "The solid box is around what is visible of the vehicle, the dashed one around all of it."));
  return parts;
}

function showFilters(open) {
  document.body.classList.toggle("filtering", open);
  byId("open-filters").setAttribute("aria-expanded", String(open));
  if (open) byId("filters").querySelector("input")?.focus();
  else byId("open-filters").focus();
}

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.key === "Escape" && document.body.classList.contains("filtering")) return showFilters(false);
  const typing = event.target.matches("input:not([type=checkbox], [type=range]), select");
  if (typing) return undefined;
  const overlay = Object.keys(OVERLAYS).find((name) => OVERLAYS[name].key === event.key && available(name));
  if (overlay) toggle(overlay);
  else if (event.key === "?") byId("help").showModal();
  else if (event.key === "/" && !detail.open) showFilters(true);
  else return undefined;
  return event.preventDefault();
}

byId("arrange").addEventListener("change", (event) => { view.order = event.target.value; refresh(); });
byId("together").addEventListener("change", (event) => { view.together = event.target.checked; refresh(); });
byId("tile").addEventListener("input", (event) => { view.tile = Number(event.target.value); refresh(); });
byId("clear").addEventListener("click", clearFilters);
byId("clear-none").addEventListener("click", clearFilters);
byId("open-filters").addEventListener("click", () => showFilters(true));
byId("close-filters").addEventListener("click", () => showFilters(false));
byId("open-help").addEventListener("click", () => byId("help").showModal());
byId("close-help").addEventListener("click", () => byId("help").close());
document.addEventListener("keydown", pressKey);
addEventListener("hashchange", showAddress);
start();
