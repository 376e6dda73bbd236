"use strict";
/* Colours and shapes, the same in the drawing and in its legend. */

const HUES = 8;

/*
 * What kinds of calls look like, in the order in which the data numbers them.
 * Outlines around (0, 0); those that are no area are stroked.
 */
const SHAPES = {
  create: { path: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z", area: true, word: "create" },
  find: { path: "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z", area: false, word: "find" },
  attach: { path: "M0 -5.5L5.5 4.5H-5.5Z", area: true, word: "attach" },
  detach: { path: "M0 5.5L5.5 -4.5H-5.5Z", area: true, word: "detach" },
  remove: { path: "M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5", area: false, word: "remove" },
  ask: { path: "M-3 -3H3V3H-3Z", area: true, word: "other call" },
};
const FAILED = "M-6 8.5H6";
/* A question mark at the upper right: how the call returned is not known. */
const NOT_SEEN = "M5.2 -8.6A2.2 2.2 0 1 1 8.3 -6.8Q7.4 -6.3 7.4 -5.2M7.4 -3.5V-2.7";
const INJECTED = "M0 -10L10 0L0 10L-10 0Z";
const MARK = 12; /* breadth of a mark */

/* The style sheet's colours, as they are now. */
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue("--" + name).trim();
  const colors = { hues: [] };
  for (const name of ["ink", "muted", "line", "soft", "card", "bad", "accent", "on-hue"]) colors[name] = color(name);
  for (let i = 0; i < HUES; i++) colors.hues.push(color("hue-" + i));
  return colors;
}

function hueOf(segment, colors) {
  return segment ? colors.hues[segment.index % HUES] : colors.muted;
}

const paths = new Map();

function pathOf(outline) {
  if (!paths.has(outline)) paths.set(outline, new Path2D(outline));
  return paths.get(outline);
}

/* One call's mark with its middle at (x, y). */
function drawMark(context, colors, call, x, y) {
  const shape = SHAPES[call.kind];
  context.save();
  context.translate(x, y);
  context.lineWidth = shape.area ? 1.5 : 2.2;
  context.strokeStyle = context.fillStyle = call.failed ? colors.bad : hueOf(call.segment, colors);
  if (shape.area && !call.failed) context.fill(pathOf(shape.path));
  else context.stroke(pathOf(shape.path));
  context.lineWidth = 2;
  if (call.failed) context.stroke(pathOf(FAILED));
  if (call.unseen) drawThin(context, colors, NOT_SEEN);
  if (call.injected) drawThin(context, colors, INJECTED);
  context.restore();
}

function drawThin(context, colors, outline) {
  context.strokeStyle = colors.ink;
  context.lineWidth = 1.2;
  context.stroke(pathOf(outline));
}

function shortCount(n) {
  return n < 1000 ? String(n) : n < 99500 ? (n / 1000).toFixed(n < 9950 ? 1 : 0) + "k" : "99k+";
}

/* Several calls that are too near to each other to be told apart. */
function drawCluster(context, colors, cluster, x, y) {
  const text = shortCount(cluster.calls.length);
  const width = text.length * 6.5 + 9;
  const same = cluster.calls.every((c) => c.segment === cluster.calls[0].segment);
  context.beginPath();
  context.roundRect(x - width / 2, y - 8, width, 16, 5);
  context.fillStyle = colors.card;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = same ? hueOf(cluster.calls[0].segment, colors) : colors.muted;
  context.stroke();
  context.fillStyle = colors.ink;
  context.textAlign = "center";
  context.fillText(text, x, y + 0.5);
  if (cluster.failed) {
    context.strokeStyle = colors.bad;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - width / 2 + 3, y + 10);
    context.lineTo(x + width / 2 - 3, y + 10);
    context.stroke();
  }
  if (cluster.injected) {
    context.save();
    context.translate(x + width / 2, y - 8);
    context.scale(0.45, 0.45);
    context.fillStyle = colors.card;
    context.fill(pathOf(INJECTED));
    context.lineWidth = 3;
    context.strokeStyle = colors.ink;
    context.stroke(pathOf(INJECTED));
    context.restore();
  }
  return width;
}

/* Slanted lines: a second sign beside the colour. */
function hatch(context, color, x, y, width, height) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let at = Math.floor(x / 6) * 6 - height; at < x + width; at += 6) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.stroke();
  context.restore();
}

function placeCanvas(canvas, width, height) {
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
}

/* Makes the canvas as large as its place, in device pixels, and empty; y counts on below the given top. */
function clearCanvas(canvas, width, height, top = 0) {
  const printing = document.documentElement.classList.contains("printing");
  const ratio = Math.max(window.devicePixelRatio || 1, printing ? 2 : 1);
  const context = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.translate(0, -top);
  context.font = "11px " + getComputedStyle(document.body).fontFamily;
  context.textBaseline = "middle";
  return context;
}

/* ---- elements ---- */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined));
  return made;
}

/* A small picture for the legend and the list, of outlines and what they are. */
function icon(outlines) {
  const svg = document.getElementById("icon").content.firstElementChild.cloneNode(true);
  const pattern = svg.firstElementChild;
  for (const [outline, kind] of outlines) {
    const path = pattern.cloneNode();
    path.setAttribute("d", outline);
    path.setAttribute("class", kind);
    svg.append(path);
  }
  pattern.remove();
  return svg;
}

function kindIcon(call) {
  const shape = SHAPES[call.kind];
  const state = call.failed ? "stroke failed" : shape.area ? "area" : "stroke";
  const outlines = [[shape.path, state]];
  if (call.failed) outlines.push([FAILED, "stroke failed"]);
  if (call.unseen) outlines.push([NOT_SEEN, "thin"]);
  if (call.injected) outlines.push([INJECTED, "thin"]);
  const picture = icon(outlines);
  picture.classList.add(call.segment && !call.failed ? "hue-" + (call.segment.index % HUES) : "plain");
  return picture;
}

function segmentChip(segment) {
  return element("span", { class: "chip hue-" + (segment.index % HUES) }, String(segment.shmid));
}
