"use strict";
// The data set: a column a label, an entry an image; and the whole records, loaded when asked for.

const DATA = {};
const UNKNOWN = "unknown";

/** Called by data.js. */
function receiveData(data) {
  Object.assign(DATA, data);
}

/** Whether any image has this label. */
function has(label) {
  return Boolean(DATA.columns[label]);
}

/** The label of image number `index`, null where it is not known. */
function labelOf(label, index) {
  return DATA.columns[label]?.[index] ?? null;
}

/** The values of a label with how many images have each, in the order of the vocabulary. */
function valuesOf(label) {
  const counts = new Map();
  for (let index = 0; index < DATA.count; index++) {
    const value = labelOf(label, index);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const order = new Map((DATA.order[label] ?? []).map((value, place) => [value, place]));
  const rank = (value) => (value === null ? Infinity : order.get(value) ?? order.size);
  return [...counts.keys()].sort(
    (a, b) => rank(a) - rank(b) || (typeof a === "number" ? a - b : String(a).localeCompare(b)),
  );
}

const detailFiles = new Map();

/** A promise of the whole record of image number `index`. */
function wholeRecord(index) {
  const number = Math.floor(index / DATA.detailsPerFile);
  if (!detailFiles.has(number)) {
    const file = {};
    file.records = new Promise((resolve, reject) => Object.assign(file, { resolve, reject }));
    detailFiles.set(number, file);
    const failed = () => {
      detailFiles.delete(number);
      file.reject(new Error(`details/${number}.js cannot be loaded`));
    };
    document.head.append(make("script", { src: `details/${number}.js`, error: failed }));
  }
  return detailFiles.get(number).records.then((records) => records[index % DATA.detailsPerFile]);
}

/** Called by the scripts in details/. */
function receiveDetails([number, records]) {
  detailFiles.get(number).resolve(records);
}

function plural(count, word, words = `${word}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? word : words}`;
}

/** A number as people read it: at most `digits` after the point. */
function shown(number, digits = 1) {
  return String(Number(number.toFixed(digits)));
}

/** What the caption of an image says, short. */
function caption(index) {
  const identity = labelOf("identity", index);
  const camera = labelOf("camera", index);
  const azimuth = labelOf("azimuth", index);
  return [
    identity === null ? null : `#${identity}`,
    camera === null ? null : `cam ${camera}`,
    azimuth === null ? null : `${shown(azimuth, 0)}°`,
  ].filter(Boolean).join(" · ");
}

/** What an image is to those who do not see it. */
function spoken(index) {
  const parts = [];
  const vehicle = [labelOf("colour", index), labelOf("type", index)].filter(Boolean).join(" ");
  if (vehicle) parts.push(vehicle);
  for (const [label, words] of [["identity", "identity "], ["camera", "camera "], ["split", "split "]]) {
    if (labelOf(label, index) !== null) parts.push(words + labelOf(label, index));
  }
  if (labelOf("azimuth", index) !== null) parts.push(`azimuth ${shown(labelOf("azimuth", index), 0)}°`);
  return [...parts, labelOf("name", index)].join(", ");
}
