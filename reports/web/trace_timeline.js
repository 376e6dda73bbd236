"use strict";
/* The timeline, row by row, and where each thing was drawn. Only what is in sight is drawn. */

const PRINTED_LANES = 300;
const AXIS_HEIGHT = 24;

class Timeline {
  constructor(trace, elements) {
    this.trace = trace;
    this.elements = elements; /* chart, rows, plot, axis, overview */
    this.chosen = null; /* { call, row } */
    this.pointer = null; /* x of the mouse */
    this.colors = readColors();
    this.view = new TimeView(trace, () => this.requestDraw());
    this.lanes = new Lanes(trace, this.view);
    this.overview = new Overview(trace, this.view, elements.overview);
    this.layOut();
    this.resize();
    elements.chart.addEventListener("scroll", () => this.requestDraw());
    new ResizeObserver(() => this.resize()).observe(elements.chart.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolor());
  }

  /* ---- rows ---- */

  layOut() {
    const { segments, processes } = this.trace;
    this.all = [];
    this.height = 0;
    const add = (kind, height, more) => {
      this.all.push({ kind, top: this.height, height, calls: [], ...more });
      this.height += height;
    };
    if (segments.length) add("head", ROW.head, { title: count(segments.length, "segment") });
    for (const segment of segments) add("segment", ROW.segment, { segment, calls: segment.calls });
    if (processes.length) add("head", ROW.head, { title: count(processes.length, "process", "processes") });
    for (const { process, depth } of processTree(processes)) {
      const bars = process.attachments.reduce((most, a) => Math.max(most, a.bar + 1), 0);
      add("process", Math.max(ROW.strip + bars * (ROW.bar + ROW.gap) + ROW.rest, ROW.least), {
        process,
        depth,
        calls: process.calls,
      });
    }
    this.elements.rows.style.height = this.height + "px";
  }

  visibleRows() {
    const first = Math.max(countUntil(this.all, "top", this.top) - 1, 0);
    const rows = [];
    for (let i = first; i < this.all.length && this.all[i].top < this.top + this.plotHeight; i++)
      rows.push(this.all[i]);
    return rows;
  }

  /* The row in which a call is shown: the process's, or the segment's where no process is known. */
  rowOf(call) {
    return (
      this.all.find((r) => r.process && r.process === call.process) ??
      this.all.find((r) => r.segment && r.segment === call.segment) ??
      null
    );
  }

  /* Brings a call into sight; closer: so near that its neighbours in the row stand apart from it. */
  reveal(call, row, closer = false) {
    const { chart } = this.elements;
    if (closer) {
      const at = row.calls.indexOf(call);
      const gaps = [row.calls[at - 1], row.calls[at + 1]].filter(Boolean).map((c) => Math.abs(c.start - call.start));
      const gap = Math.max(Math.min(...gaps, (this.view.to - this.view.from) / 8), 10);
      this.view.setView(call.start - gap * 12, call.start + gap * 12);
    } else if (this.view.x(call.start) < 16 || this.view.x(call.start) > this.view.width - 16) {
      this.view.setView(
        call.start - (this.view.to - this.view.from) / 2,
        call.start + (this.view.to - this.view.from) / 2,
      );
    }
    if (row.top < chart.scrollTop) chart.scrollTop = row.top - ROW.head;
    else if (row.top + row.height > chart.scrollTop + chart.clientHeight)
      chart.scrollTop = row.top + row.height - chart.clientHeight;
  }

  zoom(factor) {
    this.view.zoom(factor, this.chosen?.call.start);
  }

  choose(call, row) {
    this.chosen = call && row ? { call, row } : null;
    this.requestDraw();
  }

  filter(matching) {
    this.lanes.filter(matching);
    this.requestDraw();
  }

  /* ---- drawing ---- */

  recolor() {
    this.colors = readColors();
    this.draw();
  }

  resize() {
    const { chart, rows, axis, plot } = this.elements;
    const label = parseFloat(getComputedStyle(rows).getPropertyValue("--label"));
    this.view.width = Math.max(chart.clientWidth - label, 60);
    plot.style.height = 0; /* so that the rows alone tell the chart's height */
    this.plotHeight = chart.clientHeight;
    placeCanvas(axis, this.view.width, AXIS_HEIGHT);
    placeCanvas(plot, this.view.width, this.plotHeight);
    this.overview.resize();
    this.draw();
  }

  /* On paper each row is a picture of its own, so that pages break between rows. */
  print(printing) {
    this.printed = false;
    this.recolor();
    this.resize();
    this.printed = printing;
    if (!printing) return;
    const printed = this.all.slice(0, PRINTED_LANES).map((row) => {
      const canvas = element("canvas");
      placeCanvas(canvas, this.view.width, row.height);
      this.top = row.top;
      this.plotHeight = row.height;
      this.clear(canvas);
      this.drawGrid();
      this.lanes.draw(row);
      return element("div", { class: "printed" }, rowLabel(row), canvas);
    });
    const more = this.all.length - printed.length;
    this.elements.rows.replaceChildren(
      ...printed,
      more > 0 ? element("p", { class: "hint" }, "and " + count(more, "more row")) : "",
    );
    this.labelled = null;
  }

  requestDraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.view.width || this.printed) return;
    this.top = this.elements.chart.scrollTop;
    const rows = this.visibleRows();
    this.clear(this.elements.plot);
    this.drawGrid();
    rows.forEach((row) => this.lanes.draw(row));
    this.drawChosen();
    this.drawAxis();
    this.overview.draw(this.colors);
    this.placeLabels(rows);
    this.elements.plot.dataset.marks = this.lanes.marks;
  }

  clear(canvas) {
    this.context = clearCanvas(canvas, this.view.width, this.plotHeight, this.top);
    this.lanes.begin(this.context, this.colors);
  }

  line(x, top, bottom, color) {
    this.context.fillStyle = color;
    this.context.fillRect(Math.round(x), top, 1, bottom - top);
  }

  drawGrid() {
    for (const time of this.view.ticks())
      this.line(this.view.x(time), this.top, this.top + this.plotHeight, this.colors.line);
    if (this.pointer !== null) this.line(this.pointer, this.top, this.top + this.plotHeight, this.colors.muted);
  }

  drawAxis() {
    const context = clearCanvas(this.elements.axis, this.view.width, AXIS_HEIGHT);
    const step = this.view.tickStep();
    context.textAlign = "center";
    context.fillStyle = this.colors.muted;
    for (const time of this.view.ticks()) {
      context.fillRect(Math.round(this.view.x(time)), AXIS_HEIGHT - 5, 1, 5);
      const text = momentText(time, step);
      const half = context.measureText(text).width / 2 + 1;
      context.fillText(text, Math.min(Math.max(this.view.x(time), half), this.view.width - half), 9);
    }
    if (this.pointer !== null)
      this.drawPointerTime(context, momentText(Math.max(this.view.time(this.pointer), 0), step / 20));
  }

  drawPointerTime(context, text) {
    const half = context.measureText(text).width / 2 + 6;
    const x = Math.min(Math.max(this.pointer, half), this.view.width - half);
    context.fillStyle = this.colors.ink;
    context.beginPath();
    context.roundRect(x - half, 0, half * 2, 18, 4);
    context.fill();
    context.fillStyle = this.colors.card;
    context.fillText(text, x, 9.5);
  }

  drawChosen() {
    if (!this.chosen) return;
    const { x, y } = this.lanes.placeOf(this.chosen.call, this.chosen.row);
    const context = this.context;
    context.strokeStyle = this.colors.accent;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, this.top);
    context.lineTo(Math.round(x) + 0.5, y - 14);
    context.moveTo(Math.round(x) + 0.5, y + 14);
    context.lineTo(Math.round(x) + 0.5, this.top + this.plotHeight);
    context.globalAlpha = 0.5;
    context.stroke();
    context.globalAlpha = 1;
    context.lineWidth = 2.5;
    context.beginPath();
    context.roundRect(x - 14, y - 13, 28, 27, 8);
    context.stroke();
  }

  /* ---- labels: elements, so that they can be pressed and read ---- */

  placeLabels(rows) {
    const { rows: place } = this.elements;
    const wanted = rows.map((r) => this.all.indexOf(r)).join();
    if (wanted === this.labelled) return;
    this.labelled = wanted;
    place.replaceChildren(
      ...rows.map((row) => {
        row.label ??= rowLabel(row);
        return row.label;
      }),
    );
  }
}
