"use strict";
/* What is drawn in the rows of the timeline, and where each thing was drawn. */

const ROW = { head: 30, segment: 44, strip: 28, bar: 14, gap: 2, rest: 8, least: 42 };

function pairOf(process, segment) {
  return process?.index + " " + segment?.index;
}

class Lanes {
  constructor(trace, view) {
    this.trace = trace;
    this.view = view;
    this.matching = null; /* one byte a call: whether it is asked for; null: all are */
  }

  /* To be called before rows are drawn: nothing is drawn yet. */
  begin(context, colors) {
    this.context = context;
    this.colors = colors;
    this.hits = [];
    this.marks = 0;
  }

  filter(matching) {
    this.matching = matching;
    this.matchingPairs = new Set(
      this.trace.calls.filter((c) => this.matches(c)).map((c) => pairOf(c.process, c.segment)),
    );
  }

  matches(call) {
    return !this.matching || this.matching[call.index] === 1;
  }

  draw(row) {
    if (row.kind === "segment") this.drawSegment(row);
    else if (row.kind === "process") this.drawProcess(row);
  }

  hit(left, top, right, bottom, thing) {
    this.hits.push({ left, top, right, bottom, ...thing });
  }

  /* What is drawn there; y in the rows. What was drawn last lies on top. */
  at(x, y) {
    return this.hits.findLast((h) => x >= h.left && x <= h.right && y >= h.top && y <= h.bottom) ?? null;
  }

  /* ---- segments ---- */

  drawSegment(row) {
    const { segment } = row;
    const top = row.top + 6;
    const bottom = row.top + row.height - 6;
    const hue = hueOf(segment, this.colors);
    const from = this.view.x(segment.madeAt);
    const marked = this.view.x(Math.min(segment.removedAt, segment.goneAt));
    const gone = this.view.x(segment.goneAt);
    if (gone < 0 || from > this.view.width) return;
    const context = this.context;
    context.globalAlpha = 0.14;
    context.fillStyle = hue;
    context.fillRect(from, top, Math.max(marked - from, 1), bottom - top);
    context.globalAlpha = 1;
    if (gone > marked)
      hatch(
        context,
        hue,
        Math.max(marked, 0),
        top,
        Math.min(gone, this.view.width) - Math.max(marked, 0),
        bottom - top,
      );
    this.drawSteps(segment, hue, top, bottom);
    context.strokeStyle = hue;
    context.lineWidth = 1;
    context.setLineDash(segment.maker ? [] : [3, 3]);
    context.strokeRect(from + 0.5, top + 0.5, Math.max(gone - from - 1, 1), bottom - top - 1);
    context.setLineDash([]);
    this.hit(from, top, gone, bottom, { segment });
    if (segment.left) this.drawLeft(segment, gone, top, bottom);
    for (const call of [segment.maker, segment.remover]) {
      if (call) this.drawSingle(call, this.view.x(call.start), (top + bottom) / 2, row);
    }
  }

  /* nattch as a curve of steps, with its number in each step that is broad enough. */
  drawSteps(segment, hue, top, bottom) {
    const context = this.context;
    const height = (n) => (n / Math.max(segment.most, 1)) * (bottom - top - 5);
    const first = Math.max(countUntil(segment.steps, "time", this.view.from) - 1, 0);
    let drawn = -2;
    for (let i = first; i < segment.steps.length && segment.steps[i].time <= this.view.to; i++) {
      const { time, nattch } = segment.steps[i];
      const left = Math.max(this.view.x(time), -2);
      const right = Math.min(this.view.x(segment.steps[i + 1]?.time ?? time), this.view.width + 2);
      if (!nattch || right < drawn + 0.3) continue;
      drawn = right;
      context.fillStyle = hue;
      context.globalAlpha = 0.32;
      context.fillRect(left, bottom - height(nattch), Math.max(right - left, 0.7), height(nattch));
      context.globalAlpha = 1;
      context.fillRect(left, bottom - height(nattch), Math.max(right - left, 0.7), 1.5);
      if (right - left > 18)
        this.drawNumber(nattch, this.numberPlace(segment, left, right), bottom - height(nattch), top);
    }
  }

  /* The middle of what is in sight, or beside the mark of the removal. */
  numberPlace(segment, left, right) {
    const middle = (Math.max(left, 0) + Math.min(right, this.view.width)) / 2;
    const removed = this.view.x(segment.removedAt);
    return Math.abs(middle - removed) < 14 && right - removed > 26 ? removed + 18 : middle;
  }

  /* Above the line, or below it where there is no room. */
  drawNumber(text, x, line, top) {
    this.context.fillStyle = this.colors.ink;
    this.context.textAlign = "center";
    this.context.fillText(text, x, line - top < 13 ? line + 9 : line - 6);
  }

  drawLeft(segment, gone, top, bottom) {
    const context = this.context;
    const color = this.colors.bad;
    const middle = (top + bottom) / 2;
    if (gone <= this.view.width + 20) {
      context.fillStyle = color;
      context.beginPath();
      context.moveTo(gone, top - 1);
      context.lineTo(gone + 9, middle);
      context.lineTo(gone, bottom + 1);
      context.fill();
    }
    const site = segment.maker?.place?.text;
    const text = "left behind" + (site && this.view.width > 420 ? ", made by " + cut(site, 40) : "");
    const width = context.measureText(text).width + 14;
    const right = Math.min(gone, this.view.width) - 8;
    const left = right - width;
    if (left < this.view.x(segment.madeAt) + 12) return;
    context.fillStyle = this.colors.card;
    context.strokeStyle = color;
    context.lineWidth = 1.2;
    context.beginPath();
    context.roundRect(left, middle - 9, width, 18, 4);
    context.fill();
    context.stroke();
    context.fillStyle = color;
    context.textAlign = "left";
    context.fillText(text, left + 7, middle + 0.5);
  }

  /* ---- processes ---- */

  drawProcess(row) {
    const { process } = row;
    const middle = row.top + ROW.strip / 2 + 2;
    this.context.fillStyle = this.colors.line;
    this.context.fillRect(0, row.top, this.view.width, 1);
    this.drawLife(process, middle);
    this.drawAttachments(row);
    this.drawMarks(row, middle);
  }

  drawLife(process, y) {
    const context = this.context;
    const from = this.view.x(process.from);
    const to = this.view.x(process.to);
    context.fillStyle = this.colors.muted;
    context.globalAlpha = 0.55;
    context.fillRect(Math.max(from, 0), y - 0.75, Math.max(Math.min(to, this.view.width) - Math.max(from, 0), 0), 1.5);
    context.globalAlpha = 1;
    if (from >= 0) context.fillRect(from - 0.75, y - 6, 1.5, 12);
    if (process.seenEnding) context.fillRect(to - 0.75, y - 6, 1.5, 12);
    if (process.killed) this.drawNoExit(to, y);
  }

  /* It was killed, or called _exit(): which of the two is not known. */
  drawNoExit(x, y) {
    if (x < 0 || x > this.view.width) return;
    const text = "without exit()";
    const fits = x + this.context.measureText(text).width + 8 < this.view.width;
    this.context.textAlign = fits ? "left" : "right";
    this.context.fillText(text, fits ? x + 5 : x - 5, fits ? y : y - 8);
  }

  drawAttachments(row) {
    const drawn = []; /* right end of the last bar in each place: those below a pixel are drawn once */
    for (const attachment of row.process.attachments) {
      const left = Math.max(this.view.x(attachment.from), -10);
      const right = Math.min(this.view.x(attachment.to), this.view.width + 10);
      if (right < 0 || left > this.view.width || right < (drawn[attachment.bar] ?? -20) + 0.5) continue;
      drawn[attachment.bar] = Math.max(right, left + 1.5);
      const top = row.top + ROW.strip + attachment.bar * (ROW.bar + ROW.gap);
      this.drawBar(attachment, left, top, Math.max(right - left, 1.5));
    }
  }

  drawBar(attachment, left, top, width) {
    const context = this.context;
    const { segment } = attachment;
    const asked = !this.matching || this.matchingPairs.has(pairOf(attachment.process, segment));
    const notch = attachment.inherited && width > 9 ? 5 : 0;
    context.globalAlpha = asked ? 1 : 0.22;
    context.fillStyle = hueOf(segment, this.colors);
    context.beginPath();
    context.moveTo(left, top);
    context.lineTo(left + width, top);
    context.lineTo(left + width, top + ROW.bar);
    context.lineTo(left, top + ROW.bar);
    context.lineTo(left + notch, top + ROW.bar / 2);
    context.fill();
    if (attachment.readOnly && width > 6) this.drawReadOnly(left + notch, top, width - notch);
    this.drawBarText(attachment, left + notch, top, width - notch);
    context.globalAlpha = 1;
    this.hit(left, top, left + width, top + ROW.bar, { attachment });
  }

  drawReadOnly(left, top, width) {
    this.context.fillStyle = this.colors.card;
    this.context.fillRect(left + 1.5, top + 2, width - 3, ROW.bar - 4);
    hatch(this.context, hueOf(null, this.colors), left + 1.5, top + 2, width - 3, ROW.bar - 4);
  }

  drawBarText(attachment, left, top, width) {
    const from = Math.max(left, 0);
    const room = Math.min(left + width, this.view.width) - from - 10;
    if (room < 8 || !attachment.segment) return;
    const id = String(attachment.segment.shmid);
    const more = (attachment.readOnly ? " read-only" : "") + (attachment.inherited ? " inherited" : "");
    const text = this.context.measureText(id + more).width <= room ? id + more : id;
    const needed = this.context.measureText(text).width;
    if (needed > room) return;
    if (attachment.readOnly) {
      this.context.fillStyle = this.colors.card;
      this.context.fillRect(from + 3, top + 2, needed + 5, ROW.bar - 4);
    }
    this.context.fillStyle = attachment.readOnly ? this.colors.ink : this.colors["on-hue"];
    this.context.textAlign = "left";
    this.context.fillText(text, from + 5, top + ROW.bar / 2 + 0.5);
  }

  /* ---- marks ---- */

  /* Calls of a row that stand too near to each other, as one; kept until the scale changes. */
  clustersOf(row) {
    if (row.clusters?.scale === this.view.scale) return row.clusters.list;
    const list = [];
    let last = null;
    for (const call of row.calls) {
      const gap = last ? (call.start - last.to) * this.view.scale : 0;
      if (!last || gap > (last.calls.length > 1 ? MARK + 7 : MARK) || (call.start - last.from) * this.view.scale > 36) {
        last = { calls: [], from: call.start, to: call.start, failed: 0, injected: 0 };
        list.push(last);
      }
      last.calls.push(call);
      last.to = call.start;
      last.failed += call.failed ? 1 : 0;
      last.injected += call.injected ? 1 : 0;
    }
    row.clusters = { scale: this.view.scale, list };
    return list;
  }

  drawMarks(row, y) {
    const clusters = this.clustersOf(row);
    const from = this.view.time(-20);
    for (
      let i = countUntil(clusters, "to", from);
      i < clusters.length && this.view.x(clusters[i].from) < this.view.width + 20;
      i++
    ) {
      const cluster = clusters[i];
      const x = (this.view.x(cluster.from) + this.view.x(cluster.to)) / 2;
      cluster.x = x;
      this.context.globalAlpha = cluster.calls.some((c) => this.matches(c)) ? 1 : 0.22;
      if (cluster.calls.length === 1) this.drawSingle(cluster.calls[0], x, y, row);
      else this.drawSeveral(cluster, x, y, row);
      this.context.globalAlpha = 1;
    }
  }

  drawSingle(call, x, y, row) {
    const end = this.view.x(call.end);
    if (end - x > MARK && row.process) {
      this.context.fillStyle = call.failed ? this.colors.bad : hueOf(call.segment, this.colors);
      this.context.fillRect(x, y - 1.5, end - x, 3);
    }
    drawMark(this.context, this.colors, call, x, y);
    this.marks++;
    this.hit(x - 9, y - 11, Math.max(x + 9, row.process ? end : 0), y + 11, { call, row });
  }

  drawSeveral(cluster, x, y, row) {
    const width = drawCluster(this.context, this.colors, cluster, x, y);
    this.marks += cluster.calls.length;
    this.hit(x - width / 2, y - 11, x + width / 2, y + 11, { cluster, row });
  }

  /* Where a call is shown in a row. */
  placeOf(call, row) {
    if (row.segment) return { x: this.view.x(call.start), y: row.top + row.height / 2 };
    const cluster = this.clustersOf(row).find((c) => c.calls.includes(call));
    const x =
      cluster && cluster.calls.length > 1
        ? (this.view.x(cluster.from) + this.view.x(cluster.to)) / 2
        : this.view.x(call.start);
    return { x, y: row.top + ROW.strip / 2 + 2 };
  }
}
