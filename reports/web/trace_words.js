"use strict";
/* How the page writes what the trace says: times, sizes, places. All of it returns plain text. */

function commandLine(words) {
  return words
    .map((w) => (/^[\w@%+=:,./\u2026-]+$/.test(w) ? w : "'" + visible(w).replaceAll("'", "'\\''") + "'"))
    .join(" ");
}

/* ---- numbers ---- */

function hex(value, digits = 1) {
  return "0x" + unsigned(value).toString(16).padStart(digits, "0");
}

/* Numbers without a sign come as they lie in 64 bits. */
function unsigned(value) {
  return BigInt.asUintN(64, BigInt(value));
}

function keyText(key) {
  return Number(key) >>> 0 === 0 ? "IPC_PRIVATE" : "0x" + (Number(key) >>> 0).toString(16).padStart(8, "0");
}

function modeText(mode) {
  return "0" + (mode & 0o777).toString(8).padStart(3, "0");
}

function sizeText(size) {
  const bytes = unsigned(size);
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let whole = bytes;
  while (unit < units.length - 1 && whole >= 1024n && whole % 1024n === 0n) {
    whole /= 1024n;
    unit++;
  }
  return figure(whole) + " " + (bytes === 1n ? "byte" : units[unit]);
}

/* Three figures and a unit. */
function durationText(nanoseconds) {
  const units = [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "\u00b5s"],
  ];
  for (const [size, unit] of units) {
    if (nanoseconds >= size) {
      const value = nanoseconds / size;
      return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2) + "\u202f" + unit;
    }
  }
  return Math.round(nanoseconds) + "\u202fns";
}

/* A moment with as many figures as tell it from one that is `step` nanoseconds away. */
function momentText(nanoseconds, step) {
  const [size, unit] = step >= 1e8 ? [1e9, "s"] : step >= 1e2 ? [1e6, "ms"] : [1e3, "\u00b5s"];
  const figures = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
  return decimalFormat(figures).format(nanoseconds / size) + "\u202f" + unit;
}

const formats = [];

function decimalFormat(figures) {
  formats[figures] ??= new Intl.NumberFormat("en", { minimumFractionDigits: figures, maximumFractionDigits: figures });
  return formats[figures];
}

/* ---- calls, processes, segments ---- */

function errorName(error, data) {
  return data.errors[error]?.[0] ?? "errno " + error;
}

function resultText(call, data) {
  return call.unseen ? "?" : call.error ? call.result + " " + errorName(call.error, data) : call.result;
}

/* The file and the module in full; the place's own text is the short form of it. */
function placeWhole(place) {
  if (!place) return "not known";
  const file = place.file ? "at " + place.file + (place.line ? ":" + place.line : "") : "";
  const module = place.module ? "in " + place.module + (place.line ? "" : " + " + place.offset) : "";
  return [place.function && place.function + "()", file, module].filter(Boolean).join(" ") || place.text;
}

function processText(process) {
  return (process.name ? process.name + " " : "process ") + process.pid;
}

function segmentText(segment) {
  return segment.shmid + " (" + keyText(segment.key) + ")";
}
