"use strict";
/* What part of the run is in sight, and where its moments lie. Times are nanoseconds, places pixels from the left. */

const SHORTEST_VIEW = 200;

class TimeView {
  /* changed: called when another part is in sight */
  constructor(trace, changed) {
    this.trace = trace;
    this.changed = changed;
    this.width = 0;
    this.showCalls();
  }

  get pad() {
    return this.trace.end * 0.02;
  }

  setView(from, to) {
    const longest = this.trace.end + 2 * this.pad;
    const length = Math.min(Math.max(to - from, SHORTEST_VIEW), longest);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - length / 2, -this.pad), this.trace.end + this.pad - length);
    this.to = this.from + length;
    this.changed();
  }

  showWhole() {
    this.setView(-this.pad, this.trace.end + this.pad);
  }

  /* From the first call to the last one, which may be a small part of the run. */
  showCalls() {
    const calls = this.trace.calls;
    if (!calls.length) {
      this.showWhole();
      return;
    }
    const first = calls[0].start;
    const last = calls.reduce((latest, c) => Math.max(latest, c.end), first);
    const pad = Math.max((last - first) * 0.04, SHORTEST_VIEW);
    if (last - first > this.trace.end * 0.6) this.showWhole();
    else this.setView(first - pad, last + pad);
  }

  zoom(factor, around = this.middle) {
    const middle = around >= this.from && around <= this.to ? around : this.middle;
    this.setView(middle - (middle - this.from) / factor, middle + (this.to - middle) / factor);
  }

  move(part) {
    const by = (this.to - this.from) * part;
    this.setView(this.from + by, this.to + by);
  }

  get middle() {
    return (this.from + this.to) / 2;
  }

  get scale() {
    return this.width / (this.to - this.from);
  }

  x(time) {
    return Math.min(Math.max((time - this.from) * this.scale, -1e5), 1e5);
  }

  time(x) {
    return this.from + x / this.scale;
  }

  tickStep() {
    const least = (this.to - this.from) * Math.min(95 / this.width, 0.5);
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least);
  }

  ticks() {
    const step = this.tickStep();
    const times = [];
    for (let n = Math.ceil(Math.max(this.from, 0) / step); n * step <= Math.min(this.to, this.trace.end); n++)
      times.push(n * step);
    return times;
  }
}
