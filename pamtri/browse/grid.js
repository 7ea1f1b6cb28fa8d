"use strict";
// The images in rows, of which only those in sight are in the page: any number scrolls smoothly.

const GAP = 10;
const CAPTION = 24; // a line of it
const NARROW = 175; // pixels that two halves of a caption need beside each other
const HEADING = 46;
const OVERSCAN = 400;

class Grid {
  /** `opened` is called with the number of the image that was picked. */
  constructor(list, pane, opened) {
    Object.assign(this, { list, pane, opened, groups: [], order: [], on: new Set(), tile: 190 });
    this.rows = [];
    this.drawn = new Map(); // row number -> its elements
    this.active = 0; // place of the image that the keys act on
    this.pane.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.layOut()).observe(list);
    list.addEventListener("keydown", (event) => this.pressKey(event));
  }

  /** Show groups of images, each under its heading where it has one; other images from the top. */
  show(groups, on, tile) {
    Object.assign(this, { groups, on, tile });
    const order = groups.flatMap(({ indices }) => indices);
    if (order.length !== this.order.length || order.some((index, place) => index !== this.order[place])) {
      this.active = 0;
      this.pane.scrollTop = 0;
    }
    this.order = order;
    this.layOut();
  }

  /** Place all rows anew; what is in sight stays in sight when their size changes. */
  layOut() {
    const width = this.list.clientWidth;
    if (!width) return;
    const sight = this.topmost();
    this.columns = Math.max(1, Math.floor((width + GAP) / (this.tile + GAP)));
    this.width = Math.floor((width - GAP * (this.columns - 1)) / this.columns);
    this.height = Math.round(this.width * 0.75);
    this.caption = this.width < NARROW ? 2 * CAPTION - 4 : CAPTION;
    this.rows = [];
    let top = 0;
    let place = 0;
    for (const { heading, indices } of this.groups) {
      if (heading) {
        this.rows.push({ top, height: HEADING, heading });
        top += HEADING;
      }
      for (let start = 0; start < indices.length; start += this.columns) {
        const part = indices.slice(start, start + this.columns);
        this.rows.push({ top, height: this.height + this.caption, place, indices: part });
        place += part.length;
        top += this.height + this.caption + GAP;
      }
    }
    this.list.style.height = `${top}px`;
    if (sight) this.scrollTo(sight);
    const focused = this.list.contains(document.activeElement);
    this.list.replaceChildren();
    this.drawn.clear();
    this.draw();
    if (focused) this.tileAt(this.active)?.focus({ preventScroll: true });
  }

  /** The place of the first image in sight and the share of its row that is not; null at the top. */
  topmost() {
    const scrolled = this.pane.scrollTop - this.list.offsetTop;
    const row = this.rows.slice(this.rowAt(scrolled)).find(({ indices }) => indices);
    return row && this.pane.scrollTop > 0 ? { place: row.place, share: (scrolled - row.top) / row.height } : null;
  }

  scrollTo({ place, share }) {
    const row = this.rows[this.rowOf(place)];
    if (row) this.pane.scrollTop = this.list.offsetTop + row.top + share * row.height;
  }

  /** The first row that ends below `y`. */
  rowAt(y) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].top + this.rows[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  rowOf(place) {
    return this.rows.findIndex((row) => row.indices && place >= row.place && place < row.place + row.indices.length);
  }

  /** Put the rows in sight into the page, in their order, and take the others out. */
  draw() {
    const from = this.pane.scrollTop - this.list.offsetTop - OVERSCAN;
    const until = from + this.pane.clientHeight + 2 * OVERSCAN;
    const wanted = new Set([this.rowOf(this.active)]);
    for (let number = this.rowAt(from); number < this.rows.length && this.rows[number].top < until; number++) wanted.add(number);
    wanted.delete(-1);
    for (const [number, elements] of this.drawn) {
      if (wanted.has(number)) continue;
      for (const element of elements) element.remove();
      this.drawn.delete(number);
    }
    for (const number of wanted) {
      if (this.drawn.has(number)) continue;
      const elements = this.drawRow(this.rows[number]);
      const later = Math.min(...[...this.drawn.keys()].filter((other) => other > number));
      if (this.drawn.has(later)) this.drawn.get(later)[0].before(...elements);
      else this.list.append(...elements);
      this.drawn.set(number, elements);
    }
  }

  drawRow(row) {
    if (row.heading) {
      const heading = make("li", { class: "heading" }, make("h2", {}, row.heading.title), make("p", {}, row.heading.text));
      heading.style.transform = `translateY(${row.top}px)`;
      return [heading];
    }
    return row.indices.map((index, column) => {
      const item = make("li", { "aria-setsize": this.order.length, "aria-posinset": row.place + column + 1 }, this.drawTile(index, row.place + column));
      item.style.width = `${this.width}px`;
      item.style.transform = `translate(${column * (this.width + GAP)}px, ${row.top}px)`;
      return item;
    });
  }

  drawTile(index, place) {
    const view = make("span", { class: "view" }, labelledImage(index, this.width, this.height, this.on));
    view.style.height = `${this.height}px`;
    const colour = labelOf("colour", index);
    const swatch = colour in PAINTS ? make("i", { class: "swatch" }) : null;
    if (swatch) swatch.style.background = PAINTS[colour];
    const vehicle = [colour, labelOf("type", index)].filter(Boolean).join(" ");
    const text = make("span", { class: this.width < NARROW ? "caption narrow" : "caption" },
      make("b", {}, caption(index) || labelOf("name", index)), vehicle ? make("span", {}, swatch, vehicle) : null);
    text.style.height = `${this.caption}px`;
    return make("button", {
      type: "button", class: "tile", "data-place": place, "data-index": index, "aria-label": spoken(index),
      tabindex: place === this.active ? 0 : -1, focus: () => this.activate(place), click: () => this.opened(index),
    }, view, text);
  }

  tileAt(place) {
    return this.list.querySelector(`[data-place="${place}"]`);
  }

  activate(place) {
    this.tileAt(this.active)?.setAttribute("tabindex", -1);
    this.active = place;
    this.tileAt(place)?.setAttribute("tabindex", 0);
  }

  /** Bring an image into sight and let the keys act on it. */
  focus(place) {
    const row = this.rows[this.rowOf(place)];
    if (!row) return;
    this.activate(place);
    const top = row.top + this.list.offsetTop;
    const bar = this.list.offsetTop;
    if (top - bar < this.pane.scrollTop) this.pane.scrollTop = top - bar;
    else if (top + row.height + GAP > this.pane.scrollTop + this.pane.clientHeight) {
      this.pane.scrollTop = top + row.height + GAP - this.pane.clientHeight;
    }
    this.draw();
    this.tileAt(place)?.focus({ preventScroll: true });
  }

  pressKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.step(event.key);
    if (place === null) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(this.order.length - 1, place)));
  }

  step(key) {
    switch (key) {
      case "ArrowRight": return this.active + 1;
      case "ArrowLeft": return this.active - 1;
      case "ArrowDown": return this.below(1);
      case "ArrowUp": return this.below(-1);
      case "Home": return 0;
      case "End": return this.order.length - 1;
      default: return null;
    }
  }

  /** The place in the next row of images up or down, in the same column or the last. */
  below(direction) {
    const number = this.rowOf(this.active);
    if (number < 0) return null;
    const column = this.active - this.rows[number].place;
    for (let other = number + direction; other >= 0 && other < this.rows.length; other += direction) {
      const row = this.rows[other];
      if (row.indices) return row.place + Math.min(column, row.indices.length - 1);
    }
    return this.active;
  }
}
