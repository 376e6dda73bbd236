"use strict";
/* Pieces that the table and the open runs are made of. */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/* Text of a command keeps its direction to itself. */
function apart(text) {
  return element("bdi", {}, visible(text));
}

/* Several lines of it. */
function block(text) {
  return element("pre", { tabindex: "0" }, text.replace(/\n$/, "").split("\n").map(visible).join("\n"));
}

function badge(outcome) {
  return element("span", { class: "badge o-" + outcome }, outcome);
}

function statusText(run) {
  if (run.timed_out) return "not ended after " + (run.time_ns / 1e9).toFixed(1) + " s";
  return run.status.signal !== undefined ? "killed by " + run.status.signal : "exit status " + run.status.exit;
}

function leftText(sweep, left) {
  const site = left.made_at === null ? null : sweep.sites[left.made_at];
  const maker = site ? ", made by " + site.call + " in " + placeOf(site) : "";
  return "left behind: key " + left.key + ", " + count(left.size, "byte") + maker;
}

/* All that is known of one run. */
function runCard(sweep, run) {
  const lines = element("ul");
  for (const fault of run.faults)
    lines.append(element("li", {}, element("code", {}, fault.rule), " \u2013 " + fault.when));
  if (run.outcome === null) return element("article", { class: "run card" }, lines, "not run");
  lines.append(element("li", {}, statusText(run) + ", after " + (run.time_ns / 1e6).toFixed(1) + " ms"));
  if (run.message) lines.append(element("li", {}, "message: ", apart(run.message)));
  for (const left of run.left) lines.append(element("li", {}, apart(leftText(sweep, left))));
  return element(
    "article",
    { class: "run card" },
    element("p", {}, badge(run.outcome), run.beside ? " otherwise " + run.beside : ""),
    lines,
    run.stdout ? element("h3", {}, "Standard output") : null,
    run.stdout ? block(run.stdout) : null,
    run.stderr ? element("h3", {}, "Standard error") : null,
    run.stderr ? block(run.stderr) : null,
  );
}
