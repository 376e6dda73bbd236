"use strict";
/* The table of behaviours and platforms: of its rows only those in sight are made, and all of them for the printer. */

const ROW = 46;
const GROUP = 38;
const BEYOND = 460; /* pixels that are made above and below what is in sight */
const KEPT = 300;
/* The height of the head before it is laid out: a guess, by which a row more or less is made at first. */
const HEAD = { wide: 60, middle: 80, narrow: 210 };

class MatrixTable {
  /* page: open(behaviour, platform), fold(group) */
  constructor(matrix, page) {
    this.matrix = matrix;
    this.page = page;
    this.scroller = document.getElementById("scroller");
    this.table = document.getElementById("matrix");
    this.body = document.getElementById("rows");
    this.rows = [];
    this.tops = [0];
    this.at = 0;
    this.cells = new Map();
    this.beyond = 0; /* until what is in sight has been painted */
    const count = matrix.platforms.length;
    this.width = count <= 3 ? "wide" : count <= 7 ? "middle" : "narrow";
    this.top = 0;
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.body.addEventListener("click", (e) => this.click(e));
    this.body.addEventListener("mouseover", (e) => this.explain(e));
    this.scroller.addEventListener("keydown", (e) => this.key(e));
    this.body.addEventListener("focusin", (e) => this.focused(e));
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  /* ---- the head ---- */

  begin() {
    /* What is seen of the rows is kept: to ask while there is a new head is to lay the page out once more. */
    this.height = Math.max(this.scroller.clientHeight - HEAD[this.width], ROW);
    this.shape();
    const observer = new ResizeObserver(() => this.resized());
    for (const part of [this.scroller, this.table.tHead]) observer.observe(part);
    painted(() => this.drawBeyond());
  }

  shape() {
    const { platforms } = this.matrix;
    this.table.classList.add(this.width);
    this.table.style.setProperty("--platforms", platforms.length);
    this.table.setAttribute("aria-colcount", platforms.length + 1);
    const columns = document.getElementById("columns");
    columns.append(
      element("col", { class: "behaviour" }),
      ...platforms.map(() => element("col", { class: "platform" })),
    );
    const scores = this.matrix.scores();
    document
      .getElementById("head")
      .append(
        element("th", { scope: "col", class: "corner" }, "Behaviour"),
        ...platforms.map((p) => this.platformHead(p, scores[p.number])),
      );
  }

  platformHead(p, score) {
    return element(
      "th",
      {
        scope: "col",
        title: p.name + "\n" + p.description + "\njudged by " + p.profile + (p.cut ? "\n" + p.cut : ""),
      },
      element(
        "div",
        { class: "platform-head" },
        apart(p.name, { class: "platform-name" }),
        element(
          "span",
          { class: "platform-score" },
          score ? percent(score) : "\u2013",
          p.cut ? element("span", { class: "cut" }, this.width === "narrow" ? "cut" : ", cut short") : null,
        ),
      ),
    );
  }

  /* ---- rows ---- */

  /* Before other rows are shown: to the first of them. */
  home() {
    this.at = 0;
    this.top = this.scroller.scrollTop = 0;
  }

  scrolled(anew = false) {
    this.top = this.scroller.scrollTop;
    this.draw(anew);
  }

  /* The first time this comes before the first paint, and rows that the guess made too many stay. */
  resized() {
    this.height = this.scroller.clientHeight - this.table.tHead.offsetHeight;
    this.scrolled(this.isLaidOut);
    this.isLaidOut = true;
  }

  show(groups, folded, by) {
    if (!this.made) this.begin();
    this.made = new Map();
    this.verdictGroups = by === "verdict";
    this.rows = [];
    for (const group of groups) {
      this.rows.push({ group, folded: folded.has(group.name) });
      if (!folded.has(group.name)) for (const behaviour of group.behaviours) this.rows.push({ behaviour });
    }
    this.tops = [0];
    for (const row of this.rows) this.tops.push(this.tops[this.tops.length - 1] + (row.group ? GROUP : ROW));
    this.at = Math.min(this.at, Math.max(this.rows.length - 1, 0));
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.draw(true);
  }

  /* The last row that begins at or before y. */
  rowAt(y) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  drawBeyond() {
    this.beyond = BEYOND;
    this.draw(true);
  }

  draw(anew = false) {
    const top = this.top;
    const bottom = top + this.height;
    const last = this.rows.length;
    if (!anew && !this.printing && this.first !== undefined) {
      const above = this.tops[this.first] <= Math.max(top - this.beyond / 3, 0);
      const below = this.tops[this.end] >= Math.min(bottom + this.beyond / 3, this.tops[last]);
      if (above && below) return;
    }
    this.first = this.printing ? 0 : this.rowAt(top - this.beyond);
    this.end = this.printing ? last : Math.min(this.rowAt(bottom + this.beyond) + 1, last);
    const held = this.body.contains(document.activeElement);
    const made = [];
    if (this.first > 0) made.push(this.spacer(this.tops[this.first]));
    for (let i = this.first; i < this.end; i++) made.push(this.row(i));
    if (this.end < last) made.push(this.spacer(this.tops[last] - this.tops[this.end]));
    if (!last) made.push(this.nothing());
    this.put(made);
    if (held) (this.button(this.at) ?? this.scroller).focus({ preventScroll: true });
  }

  /* Rows that stay are not touched, so that they are not laid out again. */
  put(made) {
    const staying = new Set(made);
    for (const child of [...this.body.children]) if (!staying.has(child)) child.remove();
    let next = this.body.firstChild;
    for (const row of made) {
      if (row === next) next = next.nextSibling;
      else this.body.insertBefore(row, next);
    }
  }

  spacer(height) {
    const row = element("tr", { class: "spacer", "aria-hidden": "true" }, element("td", { colspan: this.columns }));
    row.style.height = height + "px";
    return row;
  }

  get columns() {
    return this.matrix.platforms.length + 1;
  }

  nothing() {
    return element(
      "tr",
      {},
      element("td", { colspan: this.columns, class: "nothing" }, "No behaviour is left by these filters."),
    );
  }

  /* A row that was in sight is kept for a while: it costs more to make than to move. */
  row(i) {
    if (!this.made.has(i)) {
      if (this.made.size > KEPT && !this.printing) this.made.clear();
      this.made.set(i, this.makeRow(i));
    }
    const made = this.made.get(i);
    made.querySelector("button").tabIndex = i === this.at ? 0 : -1;
    return made;
  }

  makeRow(i) {
    const row = this.rows[i];
    const made = row.group ? this.groupRow(row) : this.behaviourRow(row.behaviour);
    made.setAttribute("aria-rowindex", i + 2);
    made.dataset.row = i;
    return made;
  }

  groupRow({ group, folded }) {
    const button = element(
      "button",
      { type: "button", class: "group-name", "aria-expanded": String(!folded) },
      apart(group.name),
      element("span", { class: "group-count" }, String(group.behaviours.length)),
    );
    return element(
      "tr",
      { class: "group" },
      element("th", { scope: "row" }, button),
      ...this.matrix.platforms.map((p) => this.groupCell(group.scores[p.number], p)),
    );
  }

  groupCell(score, platform) {
    if (this.columns === 2 && this.verdictGroups) return element("td");
    if (!score) return element("td", {}, element("span", { class: "group-score none" }, "\u2013"));
    const all = score.passed === score.tried;
    const words = score.passed + " of " + score.tried + " pass";
    const short =
      this.width === "narrow"
        ? all
          ? "\u2713"
          : "\u2212" + (score.tried - score.passed)
        : score.passed + "/" + score.tried;
    return element(
      "td",
      { title: platform.name + ": " + words },
      element("span", { class: "group-score" + (all ? "" : " some"), "aria-hidden": "true" }, short),
      element("span", { class: "unseen" }, words),
    );
  }

  behaviourRow(b) {
    const button = element(
      "button",
      { type: "button", class: "behaviour-name", title: b.id + "\n" + b.sentence + "\n" + b.clause + "\n" + b.level },
      apart(b.id, { class: "behaviour-id" }),
      apart(b.sentence, { class: "behaviour-sentence" }),
    );
    return element(
      "tr",
      { class: "behaviour" },
      element("th", { scope: "row" }, button),
      ...this.matrix.platforms.map((p) => this.cell(b, p.number)),
    );
  }

  /* Most cells are one of a few, which are copied. */
  cell(b, platform) {
    const verdict = b.verdictOf(platform);
    const story = verdict && (b.differs || this.width === "wide") ? b.storyOf(platform) : null;
    const variant = story && b.differs ? b.variantOf(story) : "";
    const why = this.width === "wide" && story ? story.why : "";
    const kind = verdict + " " + variant + " " + why;
    if (!this.cells.has(kind)) this.cells.set(kind, this.makeCell(verdict, variant, why));
    const made = this.cells.get(kind).cloneNode(true);
    made.dataset.platform = platform;
    return made;
  }

  makeCell(verdict, variant, why) {
    const narrow = this.width === "narrow";
    const more =
      !verdict || (narrow && !variant) ? [] : [element("span", { class: narrow ? "unseen" : "word" }, verdict)];
    if (variant) more.push(element("span", { class: "variant" }, variant));
    if (why) more.push(apart(why, { class: "why" }));
    return element("td", { class: verdict ? "open" : null }, tile(verdict, ...more));
  }

  /* What a cell is, in words, once someone points at it. */
  explain(event) {
    const cell = event.target.closest("td[data-platform]");
    if (!cell || cell.title) return;
    const b = this.rows[cell.parentNode.dataset.row].behaviour;
    const platform = Number(cell.dataset.platform);
    const verdict = b.verdictOf(platform);
    const story = verdict ? b.storyOf(platform) : null;
    const variant = story ? b.variantOf(story) : "";
    cell.title =
      this.matrix.platforms[platform].name +
      ": " +
      (verdict ?? "not in the record") +
      (variant ? ", as the others that have " + variant : "") +
      (story?.why ? "\n" + story.why : "");
  }

  /* ---- hands ---- */

  button(i) {
    return this.body.querySelector(`tr[data-row="${i}"] button`);
  }

  click(event) {
    const made = event.target.closest("tr[data-row]");
    if (!made) return;
    const row = this.rows[made.dataset.row];
    const platform = event.target.closest("td")?.dataset.platform;
    this.at = Number(made.dataset.row);
    if (row.group) this.page.fold(row.group.name);
    else this.page.open(row.behaviour, platform === undefined ? null : Number(platform));
  }

  focused(event) {
    const made = event.target.closest("tr[data-row]");
    if (made) this.setAt(Number(made.dataset.row));
  }

  setAt(i) {
    const before = this.button(this.at);
    if (before) before.tabIndex = -1;
    this.at = i;
    const now = this.button(i);
    if (now) now.tabIndex = 0;
  }

  key(event) {
    const page = Math.max(Math.floor(this.scroller.clientHeight / ROW) - 3, 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!Object.hasOwn(steps, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.go(Math.min(Math.max(this.at + steps[event.key], 0), this.rows.length - 1));
  }

  go(i) {
    if (!this.rows[i]) return;
    this.setAt(i);
    this.reveal(i);
    this.button(i)?.focus({ preventScroll: true });
  }

  reveal(i) {
    const head = this.table.tHead.offsetHeight;
    const { clientHeight, scrollTop } = this.scroller;
    if (this.tops[i] < scrollTop) this.scroller.scrollTop = this.tops[i];
    else if (this.tops[i + 1] + head > scrollTop + clientHeight)
      this.scroller.scrollTop = this.tops[i + 1] + head - clientHeight;
    this.scrolled();
  }

  indexOf(behaviour) {
    return this.rows.findIndex((r) => r.behaviour === behaviour);
  }

  print(on) {
    this.printing = on;
    document.documentElement.classList.toggle("printing", on);
    this.draw(true);
  }
}
