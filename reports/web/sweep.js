"use strict";
/* The page of a sweep. */

const sweep = JSON.parse(document.getElementById("sweep-data").textContent);
const matrix = makeMatrix(sweep);
const detail = document.getElementById("detail");

function openRuns(head, runs) {
  document.getElementById("detail-head").replaceChildren(apart(head));
  document.getElementById("detail-body").replaceChildren(...runs.map((run) => runCard(sweep, run)));
  detail.showModal();
  document.getElementById("detail-head").focus();
}

/* ---- the head ---- */

function drawHead() {
  const done = sweep.runs.filter((run) => run.outcome !== null).length;
  document.getElementById("command").replaceChildren(apart(sweep.command.join(" ")));
  document.getElementById("about").textContent =
    count(done, "run") +
    (sweep.complete ? "" : " of " + sweep.runs.length) +
    " with faults in " +
    (sweep.time_ns / 1e9).toFixed(1) +
    " s; without one " +
    count(sweep.without_fault.calls, "call") +
    " in " +
    (sweep.without_fault.time_ns / 1e9).toFixed(2) +
    " s";
  document.getElementById("notes").append(...sweep.notes.map((note) => element("li", {}, apart(note))));
  document.title = cut("sweep: " + visible(sweep.command.join(" ")), 120);
}

/* ---- findings ---- */

function findingItem(finding) {
  const more = finding.known ? "known" : finding.confirmed ? "" : "seen once, and not again";
  const open = element("button", { type: "button", class: "link" }, count(finding.runs.length, "run"));
  open.addEventListener("click", () =>
    openRuns(
      finding.where,
      finding.runs.map((i) => sweep.runs[i]),
    ),
  );
  return element(
    "li",
    { class: "card finding" },
    element("p", {}, badge(finding.outcome), " ", apart(finding.where), more ? " (" + more + ")" : ""),
    ...finding.faults.map((fault) => element("p", { class: "hint" }, fault.fault + ": " + fault.when)),
    finding.stack ? block("in " + finding.stack.join("\ncalled by ")) : null,
    finding.reproduce ? block(finding.reproduce) : null,
    element("p", { class: "hint" }, open, ", key ", element("code", {}, apart(finding.key))),
  );
}

function drawFindings() {
  const heading = count(sweep.findings.length, "finding");
  document.getElementById("findings-heading").textContent = sweep.findings.length ? heading : "No findings";
  document.getElementById("findings").append(...sweep.findings.map(findingItem));
}

/* ---- the table ---- */

function cellOf(row, column) {
  const runs = row.cells.get(column);
  if (!runs) return element("td", {});
  const outcome = worst(runs) ?? "missed";
  const label = row.site.call + " " + placeOf(row.site) + ", " + column + ": " + outcome;
  const button = element(
    "button",
    { type: "button", class: "cell o-" + outcome, "aria-label": visible(label + ", " + count(runs.length, "run")) },
    outcome,
    runs.length > 1 ? element("span", { class: "many" }, "\u00d7" + runs.length) : null,
  );
  button.addEventListener("click", () => openRuns(label, runs));
  return element("td", {}, button);
}

function drawTable() {
  document
    .getElementById("head")
    .append(
      element("th", { scope: "col" }, "call"),
      ...matrix.columns.map((column) => element("th", { scope: "col" }, apart(column))),
    );
  for (const row of matrix.rows) {
    document
      .getElementById("rows")
      .append(
        element(
          "tr",
          {},
          element(
            "th",
            { scope: "row" },
            element("code", {}, row.site.call),
            element("br"),
            element("span", { class: "hint" }, apart(placeOf(row.site))),
          ),
          ...matrix.columns.map((column) => cellOf(row, column)),
        ),
      );
  }
}

function drawLegend() {
  for (const outcome of [...OUTCOMES].reverse()) {
    const n = sweep.outcomes[outcome];
    if (n)
      document
        .getElementById("legend")
        .append(element("li", {}, badge(outcome), " " + n + " \u2013 " + MEANINGS[outcome]));
  }
}

document.getElementById("detail-close").addEventListener("click", () => detail.close());
detail.addEventListener("click", (event) => {
  if (event.target === detail) detail.close();
});
drawHead();
drawFindings();
drawLegend();
drawTable();
