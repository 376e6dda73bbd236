"use strict";
/* The whole run in one strip: how many calls began when, and what part of it is in sight. */

const OVERVIEW_HEIGHT = 32;

class Overview {
  constructor(trace, view, canvas) {
    this.trace = trace;
    this.view = view;
    this.canvas = canvas;
  }

  resize() {
    this.width = this.view.width;
    this.density = null;
    placeCanvas(this.canvas, this.width, OVERVIEW_HEIGHT);
  }

  /* How many calls, and how many that failed, begin in each two pixels. */
  measureDensity() {
    const bins = Math.max(Math.ceil(this.width / 2), 1);
    this.density = { all: new Uint32Array(bins), failed: new Uint32Array(bins), most: 1 };
    for (const call of this.trace.calls) {
      const bin = Math.min(Math.max(Math.floor((this.x(call.start) / this.width) * bins), 0), bins - 1);
      this.density.all[bin]++;
      this.density.failed[bin] += call.failed ? 1 : 0;
      this.density.most = Math.max(this.density.most, this.density.all[bin]);
    }
  }

  x(time) {
    return ((time + this.view.pad) / (this.trace.end + 2 * this.view.pad)) * this.width;
  }

  time(x) {
    return (x / this.width) * (this.trace.end + 2 * this.view.pad) - this.view.pad;
  }

  draw(colors) {
    const context = clearCanvas(this.canvas, this.width, OVERVIEW_HEIGHT);
    if (!this.density) this.measureDensity();
    const height = (n) => Math.sqrt(n / this.density.most) * (OVERVIEW_HEIGHT - 6);
    this.density.all.forEach((n, bin) => {
      if (!n) return;
      context.fillStyle = colors.muted;
      context.fillRect(bin * 2, OVERVIEW_HEIGHT - 1 - height(n), 1.5, height(n));
      context.fillStyle = colors.bad;
      context.fillRect(
        bin * 2,
        OVERVIEW_HEIGHT - 1 - height(this.density.failed[bin]),
        1.5,
        height(this.density.failed[bin]),
      );
    });
    const left = this.x(this.view.from);
    const right = this.x(this.view.to);
    context.globalAlpha = 0.12;
    context.fillStyle = colors.accent;
    context.fillRect(left, 0, Math.max(right - left, 2), OVERVIEW_HEIGHT);
    context.globalAlpha = 1;
    context.strokeStyle = colors.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, Math.max(right - left - 1.5, 2), OVERVIEW_HEIGHT - 1.5);
  }
}
