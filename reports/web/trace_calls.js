"use strict";
/* The list of calls with its filters. Only the rows in sight are made, so that any number of calls can be scrolled. */

const ROW_HEIGHT = 32; /* as in the style sheet */
const ALL_ROWS = 300; /* so many are made at once, and can be searched with the browser */
const MARGIN = 12; /* rows made above and below those in sight */
const PRINTED_ROWS = 2000;

class CallList {
  /* page: choose(call, row, from), filtered(matching) */
  constructor(trace, elements, page) {
    this.trace = trace;
    this.elements = elements; /* list, table, body, form, text, segment, process, failed, count */
    this.page = page;
    this.calls = trace.calls;
    this.chosen = null;
    this.step = trace.end > 1e10 ? 1e6 : 1e3;
    this.fillChoices();
    elements.list.addEventListener("scroll", () => this.requestRows());
    elements.body.addEventListener("click", (e) => this.press(e));
    elements.body.addEventListener("keydown", (e) => this.key(e));
    elements.form.addEventListener("input", () => this.requestFilter());
    elements.form.addEventListener("reset", () => setTimeout(() => this.filter()));
    elements.form.addEventListener("submit", (e) => e.preventDefault());
    new ResizeObserver(() => this.requestRows()).observe(elements.list);
    this.tell();
    this.makeRows();
  }

  /* ---- filters ---- */

  fillChoices() {
    const { segment, process } = this.elements;
    segment.append(element("option", { value: "" }, "all"));
    for (const s of this.trace.segments) segment.append(element("option", { value: s.index }, segmentText(s)));
    process.append(element("option", { value: "" }, "all"));
    for (const p of this.trace.processes) process.append(element("option", { value: p.index }, processText(p)));
  }

  requestFilter() {
    this.filtering ??= requestAnimationFrame(() => this.filter());
  }

  /* Everything a reader may look for in a call, in small letters. */
  haystack(call) {
    call.haystack ??= [
      callLine(call, this.trace),
      errorText(call, this.trace),
      callerText(call),
      call.place?.text ?? "",
      placeWhole(call.place),
      call.kind,
      call.failed ? "failed" : "",
      call.unseen ? "not seen" : "",
      call.injected,
      call.raw ? "raw" : "",
    ]
      .join(" ")
      .toLowerCase();
    return call.haystack;
  }

  asked() {
    const { text, segment, process, failed } = this.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    return (call) =>
      (!failed.checked || call.failed) &&
      (segment.value === "" || call.segment?.index === Number(segment.value)) &&
      (process.value === "" || call.process?.index === Number(process.value)) &&
      words.every((w) => this.haystack(call).includes(w));
  }

  filter() {
    this.filtering = null;
    this.calls = this.trace.calls.filter(this.asked());
    const all = this.calls.length === this.trace.calls.length;
    const matching = all ? null : new Uint8Array(this.trace.calls.length);
    if (matching) this.calls.forEach((c) => (matching[c.index] = 1));
    this.elements.list.scrollTop = 0;
    this.tell();
    this.makeRows();
    this.page.filtered(matching);
  }

  /* Sets a filter, or takes it back if it is set so. */
  toggle(what, index) {
    const choice = this.elements[what];
    choice.value = choice.value === String(index) ? "" : String(index);
    this.filter();
  }

  tell() {
    const all = this.trace.calls.length;
    this.elements.count.textContent =
      this.calls.length === all
        ? count(all, "call")
        : figure(this.calls.length) + " of " + count(all, "call");
  }

  /* ---- rows ---- */

  requestRows() {
    this.frame ??= requestAnimationFrame(() => this.updateRows());
  }

  range() {
    if (this.printing || this.calls.length <= ALL_ROWS)
      return [0, Math.min(this.calls.length, this.printing ? PRINTED_ROWS : ALL_ROWS)];
    const { list } = this.elements;
    const first = Math.floor(list.scrollTop / ROW_HEIGHT) - MARGIN;
    const last = Math.ceil((list.scrollTop + list.clientHeight) / ROW_HEIGHT) + MARGIN;
    return [Math.max(first, 0), Math.min(last, this.calls.length)];
  }

  updateRows() {
    this.frame = null;
    if (this.range().join() !== this.made) this.makeRows();
  }

  makeRows() {
    const [from, to] = this.range();
    this.made = [from, to].join();
    const { body, table } = this.elements;
    const held = body.contains(document.activeElement);
    const rows = this.calls.slice(from, to).map((call, i) => this.row(call, from + i));
    const space = (n) => (n > 0 ? [this.space(n)] : []);
    body.replaceChildren(
      ...space(from),
      ...rows,
      ...(this.printing ? this.unprinted(to) : space(this.calls.length - to)),
    );
    if (!this.calls.length)
      body.append(
        element(
          "tr",
          { class: "none" },
          element("td", { colspan: 7 }, this.trace.calls.length ? "No call is like that." : "No call was seen."),
        ),
      );
    table.setAttribute("aria-rowcount", this.calls.length + 1);
    this.markChosen();
    if (held) body.querySelector("tr[tabindex='0']")?.focus({ preventScroll: true });
  }

  /* One row is where the keyboard enters the list: the chosen one, or the first. */
  markChosen() {
    const rows = [...this.elements.body.querySelectorAll("tr[data-call]")];
    const chosen = rows.find((r) => Number(r.dataset.call) === this.chosen?.index);
    for (const row of rows) {
      row.tabIndex = row === (chosen ?? rows[0]) ? 0 : -1;
      if (row === chosen) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  space(rows) {
    const row = element("tr", { "aria-hidden": "true", class: "space" }, element("td", { colspan: 7 }));
    row.style.height = rows * ROW_HEIGHT + "px";
    return row;
  }

  unprinted(printed) {
    const more = this.calls.length - printed;
    return more > 0 ? [element("tr", {}, element("td", { colspan: 7 }, "and " + count(more, "more call")))] : [];
  }

  row(call, at) {
    return element(
      "tr",
      { "data-call": call.index, "aria-rowindex": at + 2 },
      element("td", { class: "number" }, String(call.index + 1)),
      element("td", { class: "number time" }, momentText(call.start, this.step)),
      element("td", { class: "by" }, element("bdi", {}, this.byText(call))),
      element("td", { class: "wide" }, this.callCell(call)),
      element("td", {}, call.segment ? segmentChip(call.segment) : ""),
      element("td", { class: "number duration" }, call.unseen ? "\u2013" : durationText(call.end - call.start)),
      element("td", { class: "site" }, element("bdi", {}, call.place?.text ?? "")),
    );
  }

  byText(call) {
    const name = call.process ? processText(call.process) : String(call.pid);
    return name + (call.tid !== call.pid ? "/" + call.tid : "");
  }

  callCell(call) {
    const result = resultText(call, this.trace.data);
    const line = element(
      "span",
      { class: "call" },
      kindIcon(call),
      element("code", {}, element("bdi", {}, call.text)),
      element("code", { class: "result" }, " = ", element("span", { class: call.failed ? "bad" : null }, result)),
    );
    if (call.injected) line.append(element("span", { class: "badge plain" }, call.injected));
    return line;
  }

  /* ---- choosing ---- */

  press(event) {
    const row = event.target.closest("tr[data-call]");
    if (row) this.page.choose(this.trace.calls[row.dataset.call], null, "list");
  }

  key(event) {
    const at = this.calls.indexOf(this.trace.calls[event.target.closest("tr")?.dataset.call]);
    const page = Math.max(Math.floor(this.elements.list.clientHeight / ROW_HEIGHT) - 2, 1);
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
      Enter: 0,
      " ": 0,
    };
    if (at === -1 || !Object.hasOwn(steps, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const call = this.calls[Math.min(Math.max(at + steps[event.key], 0), this.calls.length - 1)];
    this.page.choose(call, null, steps[event.key] === 0 ? "list, closer" : "list");
    this.show(call, true);
  }

  choose(call) {
    this.chosen = call;
    this.markChosen();
  }

  /* Scrolls the list, and with focus the page too, to the call's row. */
  show(call, focus) {
    const at = this.calls.indexOf(call);
    const { list, body } = this.elements;
    if (at === -1) return;
    const head = this.elements.table.tHead.offsetHeight;
    const top = at * ROW_HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top - ROW_HEIGHT;
    else if (top + ROW_HEIGHT + head > list.scrollTop + list.clientHeight)
      list.scrollTop = top + 2 * ROW_HEIGHT + head - list.clientHeight;
    this.updateRows();
    if (focus)
      body
        .querySelector("tr[data-call='" + call.index + "']")
        ?.focus({ preventScroll: list.getBoundingClientRect().top > 0 });
  }

  print(printing) {
    this.printing = printing;
    this.makeRows();
  }
}
