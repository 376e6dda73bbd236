"use strict";
/* The page: its head, what was left behind, and what ties the timeline and the list together. */

const MOST_LEFT = 200;

const byId = (id) => document.getElementById(id);

class Page {
  constructor(trace) {
    this.trace = trace;
    this.showHead();
    this.showLeft();
    this.showRules();
    this.timeline = new Timeline(trace, {
      chart: byId("chart"),
      rows: byId("rows"),
      plot: byId("plot"),
      axis: byId("axis"),
      overview: byId("overview"),
    });
    this.controls = new TimelineControls(this.timeline, new Tip(byId("tip")), this);
    this.list = new CallList(
      trace,
      {
        list: byId("list"),
        table: byId("table"),
        body: byId("table-body"),
        form: byId("filters"),
        text: byId("filter-text"),
        segment: byId("filter-segment"),
        process: byId("filter-process"),
        failed: byId("filter-failed"),
        count: byId("count"),
      },
      this,
    );
    this.showLegend();
    this.showDetail(null);
    this.listen();
  }

  listen() {
    byId("zoom-in").addEventListener("click", () => this.timeline.zoom(2));
    byId("zoom-out").addEventListener("click", () => this.timeline.zoom(0.5));
    byId("zoom-whole").addEventListener("click", () => this.timeline.view.showWhole());
    byId("zoom-calls").addEventListener("click", () => this.timeline.view.showCalls());
    byId("left-list").addEventListener("click", (e) => this.pressLeft(e));
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  /* ---- head ---- */

  showHead() {
    const { data } = this.trace;
    const line = commandLine(data.command) || "(no command)";
    const heading = byId("command");
    const more = byId("whole-command");
    heading.firstElementChild.textContent = line;
    document.title = cut(line, 80) + " \u2013 shmcheck trace";
    more.hidden = heading.scrollHeight <= heading.clientHeight + 2;
    more.addEventListener("click", () => {
      const open = heading.classList.toggle("open");
      more.setAttribute("aria-expanded", open);
      more.textContent = open ? "Show less" : "Show all of it";
    });
    byId("facts").append(
      ...this.facts()
        .filter(Boolean)
        .map(([text, kind]) => element("li", { class: kind }, text)),
    );
  }

  facts() {
    const { trace } = this;
    const failed = trace.calls.filter((c) => c.failed).length;
    const unseen = trace.calls.filter((c) => c.unseen).length;
    const injected = trace.calls.filter((c) => c.injected).length;
    return [
      this.statusFact(),
      ["ran " + durationText(trace.end)],
      [count(trace.processes.length, "process", "processes")],
      [count(trace.segments.length, "segment")],
      [count(trace.calls.length, "call")],
      failed ? [figure(failed) + " failed", "bad"] : null,
      unseen ? [count(unseen, "return") + " not seen"] : null,
      injected ? [figure(injected) + " hit by a fault"] : null,
    ];
  }

  statusFact() {
    const { status } = this.trace.data;
    if (status.signal) return ["killed by " + (status.name ?? "signal " + status.signal), "bad"];
    return ["exit status " + status.exit, status.exit ? "bad" : "good"];
  }

  /* ---- left behind ---- */

  showLeft() {
    const { data } = this.trace;
    const left = this.trace.segments.filter((s) => s.left);
    const section = byId("left");
    const heading = byId("left-heading");
    section.classList.add(left.length ? "bad" : this.trace.leaksKnown ? "good" : "unknown");
    heading.textContent = left.length
      ? count(left.length, "segment") + " left behind"
      : this.trace.leaksKnown
        ? "Nothing was left behind"
        : "Whether anything was left behind could not be looked at";
    byId("left-list").append(...left.slice(0, MOST_LEFT).map((s) => this.leftEntry(s)));
    if (left.length > MOST_LEFT)
      byId("left-list").append(element("li", {}, "and " + count(left.length - MOST_LEFT, "more segment")));
    if (data.foreign)
      byId("left-list").append(
        element("li", {}, count(data.foreign, "segment") + " that others made meanwhile, not counted here"),
      );
  }

  /* A fault that was asked for and never came is as telling as one that did. */
  showRules() {
    const { rules } = this.trace;
    byId("rules").hidden = !rules.length;
    byId("rules-list").append(
      ...rules.map((rule) => {
        const fired =
          rule.fired === 0
            ? element("strong", { class: "bad" }, "never fired")
            : element("span", {}, "fired " + count(rule.fired ?? 0, "time"));
        return element(
          "li",
          {},
          element("code", {}, element("bdi", {}, rule.text)),
          rule.fired === null ? null : fired,
          rule.fired === null
            ? null
            : element("span", { class: "hint" }, "of " + count(rule.matched, "call") + " that matched"),
        );
      }),
    );
  }

  leftEntry(segment) {
    const { maker } = segment;
    const made = maker
      ? ["made by ", element("bdi", {}, callerText(maker)), " in ", this.makerLink(maker)]
      : ["made " + makerText(segment, this.trace)];
    const what = [
      element("code", {}, keyText(segment.key)),
      ", ",
      sizeText(segment.size),
      ", ",
      leftText(segment),
      ", ",
    ];
    return element("li", {}, segmentChip(segment), element("span", {}, ...what, ...made));
  }

  makerLink(maker) {
    const text = maker.place?.text ?? "call " + (maker.index + 1);
    return element("button", { type: "button", class: "link", "data-call": maker.index }, element("bdi", {}, text));
  }

  pressLeft(event) {
    const index = event.target.closest("[data-call]")?.dataset.call;
    if (index === undefined) return;
    this.choose(this.trace.calls[index], null, "list, closer");
    this.list.show(this.trace.calls[index], false);
  }

  /* ---- legend ---- */

  showLegend() {
    const { path } = SHAPES.attach;
    const unseen = this.trace.calls.some((c) => c.unseen);
    const entry = (picture, word) => element("li", {}, picture, word);
    const marks = (...outlines) => icon(outlines);
    const swatch = (kind) => element("span", { class: "swatch " + kind, "aria-hidden": "true" });
    byId("legend").append(
      ...Object.values(SHAPES).map((s) => entry(marks([s.path, s.area ? "area" : "stroke"]), s.word)),
      entry(marks([path, "stroke failed"], [FAILED, "stroke failed"]), "failed"),
      entry(marks([path, "area"], [INJECTED, "thin"]), "injected"),
      ...(unseen ? [entry(marks([path, "area"], [NOT_SEEN, "thin"]), "return not seen")] : []),
      entry(element("span", { class: "swatch several", "aria-hidden": "true" }, "12"), "several calls"),
      entry(swatch("read-only"), "read-only"),
      entry(swatch("inherited"), "inherited by fork"),
      entry(swatch("marked"), "removed, still attached"),
    );
  }

  /* ---- choosing and filtering: what the parts ask for ---- */

  choose(call, row, from) {
    const place = call ? (row ?? this.timeline.rowOf(call)) : null;
    this.timeline.choose(call, place);
    this.list.choose(call);
    this.showDetail(call);
    if (!call) return;
    if (from.startsWith("list") && place) this.timeline.reveal(call, place, from === "list, closer");
    if (from !== "list") this.list.show(call, false);
    if (from === "keyboard") byId("said").textContent = sayCall(call, this.trace);
  }

  reveal(call) {
    if (!this.list.calls.includes(call)) byId("filters").reset();
    setTimeout(() => this.list.show(call, true));
  }

  showDetail(call) {
    byId("detail").classList.toggle("filled", Boolean(call));
    byId("detail").replaceChildren(
      ...(call
        ? describeCall(call, this.trace)
        : [element("p", { class: "hint" }, "Choose a mark or a row to see all of it here.")]),
    );
  }

  filterBy(what, index) {
    this.list.toggle(what, index);
  }

  filtered(matching) {
    this.timeline.filter(matching);
    for (const row of this.timeline.all) this.pressLabelOf(row);
  }

  pressLabelOf(row) {
    if (row.segment)
      row.label?.setAttribute("aria-pressed", byId("filter-segment").value === String(row.segment.index));
    else if (row.process)
      row.label?.setAttribute("aria-pressed", byId("filter-process").value === String(row.process.index));
  }

  /* All rows and many calls on paper. */
  print(printing) {
    document.documentElement.classList.toggle("printing", printing);
    this.list.print(printing);
    this.timeline.print(printing);
  }
}

new Page(readTrace(JSON.parse(byId("trace-data").textContent)));
