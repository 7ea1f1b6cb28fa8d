"use strict";
// Which images are shown, and in which order.

/** Labels of which some values are picked; what is not picked from is not filtered by. */
const CHOICES = ["split", "domain", "type", "colour", "camera"];

class Filters {
  constructor() {
    this.clear();
  }

  clear() {
    this.chosen = Object.fromEntries(CHOICES.map((label) => [label, new Set()]));
    this.identities = "";
    this.azimuth = null; // [from, to] in degrees, turning from one to the other as azimuth grows
    this.occlusion = [0, 100]; // percent, both included
  }

  /** The numbers of the images that pass, all filters but `except` applied. */
  passing(except = null) {
    const tests = this.tests(except);
    const indices = [];
    for (let index = 0; index < DATA.count; index++) {
      if (tests.every((test) => test(index))) indices.push(index);
    }
    return indices;
  }

  tests(except) {
    const tests = [];
    for (const label of CHOICES) {
      const chosen = this.chosen[label];
      if (label !== except && chosen.size) tests.push((index) => chosen.has(labelOf(label, index)));
    }
    const ranges = parseRanges(this.identities);
    if (except !== "identity" && ranges?.length) {
      tests.push((index) => within(labelOf("identity", index), ranges));
    }
    if (except !== "azimuth" && this.azimuth) {
      tests.push((index) => inArc(labelOf("azimuth", index), this.azimuth));
    }
    const [low, high] = this.occlusion;
    if (except !== "occlusion" && (low > 0 || high < 100)) {
      tests.push((index) => within(labelOf("occlusion", index), [[low / 100, high / 100]]));
    }
    return tests;
  }

  /** How many images each value would have if it were picked: a Map. */
  counts(label) {
    const counts = new Map();
    for (const index of this.passing(label)) {
      const value = labelOf(label, index);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  }

  /** How many images that pass the other filters lie in each of `bins` parts of 0..`end`. */
  histogram(label, bins, end) {
    const counts = new Array(bins).fill(0);
    for (const index of this.passing(label)) {
      const value = labelOf(label, index);
      if (value !== null) counts[Math.min(bins - 1, Math.floor((value / end) * bins))] += 1;
    }
    return counts;
  }
}

/** `3, 17, 40-60` as [[3, 3], [17, 17], [40, 60]]; null when it says something else. */
function parseRanges(text) {
  const ranges = [];
  for (const part of text.split(/[,;\s]+/).filter(Boolean)) {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!found) return null;
    ranges.push([Number(found[1]), Number(found[2] ?? found[1])]);
  }
  return ranges;
}

function within(value, ranges) {
  return value !== null && ranges.some(([low, high]) => low <= value && value <= high);
}

/** Whether an azimuth lies in the arc that turns from `from` to `to`, both included. */
function inArc(azimuth, [from, to]) {
  if (azimuth === null) return false;
  const turn = (degrees) => ((degrees % 360) + 360) % 360;
  return to - from >= 360 || turn(azimuth - from) <= turn(to - from);
}

const ORDERS = {
  dataset: { name: "as in the data set" },
  azimuth: { name: "by azimuth", label: "azimuth" },
  camera: { name: "by camera", label: "camera" },
  occlusion: { name: "most hidden first", label: "occlusion", descending: true },
};

/** The same images in one of `ORDERS`; what has no such label comes last. */
function arranged(indices, order) {
  const { label, descending } = ORDERS[order];
  if (!label) return indices;
  const last = descending ? -Infinity : Infinity;
  const key = (index) => labelOf(label, index) ?? last;
  const sign = descending ? -1 : 1;
  return [...indices].sort((a, b) => (key(a) === key(b) ? a - b : sign * (key(a) < key(b) ? -1 : 1)));
}

/** [{identity, indices}] by identity, those without one last; the order within is kept. */
function byIdentity(indices) {
  const groups = new Map();
  for (const index of indices) {
    const identity = labelOf("identity", index);
    if (!groups.has(identity)) groups.set(identity, []);
    groups.get(identity).push(index);
  }
  return [...groups]
    .sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity) || 0)
    .map(([identity, members]) => ({ identity, indices: members }));
}
