"use strict";
/* The sweep's data, ordered as the page shows it. */

/* From the best to the worst. */
const OUTCOMES = ["missed", "absorbed", "reported", "recovered", "leaked", "unrecovered", "wrong", "hung", "crashed"];

const MEANINGS = {
  missed: "the fault did not fire",
  absorbed: "same exit status and output as without the fault",
  reported: "another exit status, or a message",
  recovered: "killed, and the next run was as it must be",
  leaked: "segments are left that are not left without the fault",
  unrecovered: "killed, and the next run was not as it must be",
  wrong: "status 0, other output, and no message",
  hung: "not ended in its time",
  crashed: "ended by a signal",
};

const FINDINGS = new Set(["leaked", "unrecovered", "wrong", "hung", "crashed"]);

function worst(runs) {
  let rank = -1;
  for (const run of runs) rank = Math.max(rank, OUTCOMES.indexOf(run.outcome));
  return rank < 0 ? null : OUTCOMES[rank];
}

/* What a column is: the last of the run's faults, whether it lasts or not; two faults are one column. */
function columnOf(run) {
  if (run.faults.length > 1) return "a second fault";
  return run.faults[0].fault.replace(/ from then on$/, "");
}

/* Places in the order in which they were met, faults in the order of the runs; a cell for both. */
function makeMatrix(sweep) {
  const columns = [];
  const rows = sweep.sites.map((site, index) => ({ site, index, cells: new Map(), runs: 0 }));
  for (const run of sweep.runs) {
    const row = rows[run.faults[run.faults.length - 1].planned_site];
    const column = columnOf(run);
    if (!row) continue;
    if (!columns.includes(column)) columns.push(column);
    if (!row.cells.has(column)) row.cells.set(column, []);
    row.cells.get(column).push(run);
    row.runs++;
  }
  /* Errors first, then what is none. */
  const isError = (column) => /^E[A-Z0-9]+$/.test(column);
  columns.sort((a, b) => isError(b) - isError(a));
  return { columns, rows: rows.filter((row) => row.runs > 0) };
}

function placeOf(site) {
  const last = (path) => path.slice(path.lastIndexOf("/") + 1);
  if (site.function && site.line) return site.function + " (" + last(site.file) + ":" + site.line + ")";
  if (site.function) return site.function + " (" + last(site.module) + ")";
  return site.module ? last(site.module) + "+" + site.offset : "";
}
