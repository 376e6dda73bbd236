"use strict";
/* What stands beside the rows of the timeline: elements, so that they can be pressed and read. */

function rowLabel(row) {
  const label =
    row.kind === "head"
      ? element("h3", { class: "rows-head" }, row.title)
      : row.kind === "segment"
        ? segmentLabel(row)
        : processLabel(row);
  label.style.top = row.top + "px";
  label.style.height = row.height + "px";
  return label;
}

function segmentLabel({ segment }) {
  const more = [
    sizeText(segment.size),
    modeText(segment.mode),
    segment.most ? "nattch up to " + segment.most : "never attached",
  ];
  return element(
    "button",
    { type: "button", class: "label", tabindex: -1, "data-segment": segment.index, "aria-pressed": "false" },
    element(
      "span",
      { class: "label-name" },
      segmentChip(segment),
      element("span", {}, keyText(segment.key)),
      segment.left ? element("span", { class: "badge" }, "left", element("span", { class: "more" }, " behind")) : null,
    ),
    element("span", { class: "label-more" }, more.join(" \u00b7 ")),
  );
}

function processLabel({ process, depth }) {
  const failed = process.calls.filter((c) => c.failed).length;
  const more = ["pid " + process.pid, count(process.calls.length, "call"), failed ? failed + " failed" : null];
  const label = element(
    "button",
    { type: "button", class: "label", tabindex: -1, "data-process": process.index, "aria-pressed": "false" },
    element(
      "span",
      { class: "label-name" },
      element("bdi", {}, (depth ? "\u2514 " : "") + (process.name || "process")),
    ),
    element("span", { class: "label-more" }, more.filter(Boolean).join(" \u00b7 ")),
  );
  label.classList.add("depth-" + Math.min(depth, 4));
  return label;
}
