"use strict";
/* Mouse, wheel and keyboard on the timeline. What they choose is told to the page. */

const DRAG = 4; /* pixels that a hand may tremble */

class TimelineControls {
  /* page: choose(call, row, from), reveal(call), filterBy(what, index), say(text) */
  constructor(timeline, tip, page) {
    this.timeline = timeline;
    this.tip = tip;
    this.page = page;
    const { chart, overview } = timeline.elements;
    chart.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    chart.addEventListener("keydown", (e) => this.key(e));
    chart.addEventListener("focus", () => this.focus());
    chart.addEventListener("blur", () => this.tip.hide());
    chart.addEventListener("pointerdown", (e) => this.press(e));
    chart.addEventListener("pointermove", (e) => this.hover(e));
    chart.addEventListener("pointerleave", () => this.leave());
    chart.addEventListener("scroll", () => this.tip.hide());
    chart.addEventListener("dblclick", (e) => this.closer(e));
    chart.addEventListener("click", (e) => this.pressLabel(e));
    overview.addEventListener("pointerdown", (e) => this.pressOverview(e));
  }

  /* Where the mouse is: x in the plot, y in the rows. */
  point(event) {
    const box = this.timeline.elements.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top + this.timeline.top };
  }

  /* ---- mouse ---- */

  wheel(event) {
    const { x } = this.point(event);
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    if (event.ctrlKey || event.metaKey) {
      this.timeline.view.zoom(Math.exp(-event.deltaY * unit * 0.004), this.timeline.view.time(x));
    } else {
      const along = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (!along) return;
      this.timeline.view.move((along * unit) / this.timeline.view.width);
    }
    event.preventDefault();
    this.tip.hide();
  }

  press(event) {
    const start = this.point(event);
    if (event.button !== 0 || start.x < 0) return;
    const { timeline } = this;
    const { chart } = timeline.elements;
    const from = timeline.view.from;
    const length = timeline.view.to - timeline.view.from;
    this.drag = { moved: false };
    chart.setPointerCapture(event.pointerId);
    const move = (e) => {
      const by = this.point(e).x - start.x;
      this.drag.moved ||= Math.abs(by) > DRAG;
      if (this.drag.moved)
        timeline.view.setView(from - by / timeline.view.scale, from + length - by / timeline.view.scale);
    };
    const end = (e) => {
      chart.removeEventListener("pointermove", move);
      chart.removeEventListener("pointerup", end);
      chart.removeEventListener("pointercancel", end);
      if (!this.drag.moved && e.type === "pointerup") this.pick(timeline.lanes.at(start.x, start.y));
      this.drag = null;
    };
    chart.addEventListener("pointermove", move);
    chart.addEventListener("pointerup", end);
    chart.addEventListener("pointercancel", end);
  }

  pick(thing) {
    if (thing?.call) this.page.choose(thing.call, thing.row, "timeline");
    else if (thing?.cluster) this.spread(thing.cluster);
    else if (thing?.attachment) this.pickAttachment(thing.attachment);
    else if (thing?.segment?.maker) this.page.choose(thing.segment.maker, null, "timeline");
  }

  spread(cluster) {
    const pad = Math.max((cluster.to - cluster.from) * 0.15, 100);
    this.tip.hide();
    this.timeline.view.setView(cluster.from - pad, cluster.to + pad);
  }

  pickAttachment({ process, segment, from }) {
    const begun = process?.calls.findLast((c) => c.kind === "attach" && c.segment === segment && c.start <= from);
    if (begun) this.page.choose(begun, null, "timeline");
  }

  closer(event) {
    const { x } = this.point(event);
    if (x >= 0) this.timeline.view.zoom(event.shiftKey ? 1 / 3 : 3, this.timeline.view.time(x));
  }

  pressLabel(event) {
    const label = event.target.closest?.("button.label");
    if (label?.dataset.segment !== undefined) this.page.filterBy("segment", label.dataset.segment);
    else if (label) this.page.filterBy("process", label.dataset.process);
  }

  hover(event) {
    const { x, y } = this.point(event);
    const { timeline } = this;
    if (this.drag?.moved || event.pointerType === "touch") {
      this.tip.hide();
      return;
    }
    timeline.pointer = x >= 0 && x < timeline.view.width ? x : null;
    timeline.requestDraw();
    const thing = x >= 0 ? timeline.lanes.at(x, y) : null;
    timeline.elements.chart.classList.toggle("on-mark", Boolean(thing));
    if (thing) this.tip.show(this.describe(thing, timeline.view.time(x)), event.clientX, event.clientY);
    else this.tip.hide();
  }

  leave() {
    this.timeline.pointer = null;
    this.timeline.requestDraw();
    this.tip.hide();
  }

  describe(thing, time) {
    const { trace } = this.timeline;
    if (thing.call) return describeCall(thing.call, trace);
    if (thing.cluster) return describeCluster(thing.cluster, trace);
    return thing.attachment ? describeAttachment(thing.attachment) : describeSegment(thing.segment, time, trace);
  }

  /* Dragging over the strip chooses a part of the run, a press moves the view there. */
  pressOverview(event) {
    const { timeline } = this;
    const { overview } = timeline.elements;
    const left = overview.getBoundingClientRect().left;
    const anchor = timeline.overview.time(event.clientX - left);
    const length = timeline.view.to - timeline.view.from;
    overview.setPointerCapture(event.pointerId);
    timeline.view.setView(anchor - length / 2, anchor + length / 2);
    overview.onpointermove = (e) => {
      const other = timeline.overview.time(e.clientX - left);
      if (Math.abs(e.clientX - event.clientX) > DRAG)
        timeline.view.setView(Math.min(anchor, other), Math.max(anchor, other));
    };
    overview.onpointerup = overview.onpointercancel = () => (overview.onpointermove = null);
  }

  /* ---- keyboard ---- */

  focus() {
    if (!this.timeline.elements.chart.matches(":focus-visible")) return;
    if (!this.timeline.chosen) this.enterRow(this.timeline.all.findIndex((r) => r.process && r.calls.length));
    else this.showChosen();
  }

  key(event) {
    const keys = {
      ArrowRight: () => (event.shiftKey ? this.timeline.view.move(0.15) : this.step(1)),
      ArrowLeft: () => (event.shiftKey ? this.timeline.view.move(-0.15) : this.step(-1)),
      ArrowDown: () => this.changeRow(1),
      ArrowUp: () => this.changeRow(-1),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      "+": () => this.zoom(2),
      "=": () => this.zoom(2),
      "-": () => this.zoom(0.5),
      0: () => this.timeline.view.showWhole(),
      Enter: () => this.timeline.chosen && this.page.reveal(this.timeline.chosen.call),
      Escape: () => this.page.choose(null, null, "timeline"),
    };
    if (
      !Object.hasOwn(keys, event.key) ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target !== event.currentTarget
    )
      return;
    event.preventDefault();
    this.tip.hide();
    keys[event.key]();
  }

  zoom(factor) {
    this.timeline.zoom(factor);
    this.showChosen();
  }

  step(by) {
    const { chosen } = this.timeline;
    if (!chosen) {
      this.changeRow(1);
      return;
    }
    const { row } = chosen;
    const at = row.calls.indexOf(chosen.call) + by;
    this.go(row.calls[Math.min(Math.max(at, 0), row.calls.length - 1)], row);
  }

  changeRow(by) {
    const { all, chosen } = this.timeline;
    let at = chosen ? all.indexOf(chosen.row) + by : 0;
    while (all[at] && !all[at].calls.length) at += by;
    this.enterRow(at);
  }

  /* To the call that is nearest in time to the chosen one. */
  enterRow(at) {
    const row = this.timeline.all[at];
    if (!row) return;
    const time = this.timeline.chosen?.call.start ?? this.timeline.view.from;
    const next = Math.min(countUntil(row.calls, "start", time), row.calls.length - 1);
    const before = Math.max(next - 1, 0);
    const nearer = time - row.calls[before].start < row.calls[next].start - time ? before : next;
    this.go(row.calls[nearer], row);
  }

  go(call, row) {
    this.timeline.reveal(call, row);
    this.page.choose(call, row, "keyboard");
    this.timeline.draw();
    this.showChosen();
  }

  showChosen() {
    const { timeline } = this;
    if (!timeline.chosen) return;
    const box = timeline.elements.plot.getBoundingClientRect();
    const { x, y } = timeline.lanes.placeOf(timeline.chosen.call, timeline.chosen.row);
    this.tip.show(describeCall(timeline.chosen.call, timeline.trace), box.left + x, box.top + y - timeline.top + 10);
  }
}

/* The box beside the mouse. */
class Tip {
  constructor(box) {
    this.box = box;
  }

  show(content, x, y) {
    const { box } = this;
    box.replaceChildren(...content);
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const page = document.documentElement;
    box.style.left = Math.max(Math.min(x + 14, page.clientWidth - width - 8), 8) + "px";
    box.style.top = (y + 18 + height > page.clientHeight ? Math.max(y - height - 12, 4) : y + 18) + "px";
  }

  hide() {
    this.box.hidden = true;
  }
}
