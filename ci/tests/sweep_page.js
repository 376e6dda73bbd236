/*
 * node sweep_page.js PAGE: uses a page of `shmcheck sweep` by mouse and by keyboard; the command crashes, and its last
 * word is hostile. Tells each thing that is wrong, and ends in 1; in 77 where playwright-core is not installed.
 */
"use strict";
const { check, same, use, contrast, names, focused, isOpen, narrow, sheets } = require("./browser.js");

const cells = (page) => page.locator("#rows td button");
const head = (page) => page.locator("#detail-head").textContent();

/* A cell for each place and error of the runs, and none besides. */
async function table(page) {
  const planned = await page.evaluate(() => {
    const site = (run) => run.faults[run.faults.length - 1].planned_site;
    return new Set(
      sweep.runs.filter((r) => r.faults.length === 1).map((r) => site(r) + r.faults[0].fault.split(" ")[0]),
    ).size;
  });
  check(planned > 5, `only ${planned} places and errors`);
  same(await cells(page).count(), planned, "cells that can be opened");
  same(
    await page.locator('#table thead th[scope="col"]').count(),
    1 + (await page.evaluate(() => matrix.columns.length)),
    "heads",
  );
  same(
    await page.locator('#rows th[scope="row"]').count(),
    await page.locator("#rows tr").count(),
    "rows with a head",
  );
}

/* Opens each cell in turn: [{call, place, error, outcome, head, rules, badge}]. Runs in the page. */
function openEach() {
  const text = (root, selector) => root.querySelector(selector).textContent;
  return [...document.querySelectorAll("#rows td button")].map((button) => {
    const cell = button.closest("td");
    button.click();
    const opened = {
      call: text(cell.parentElement, "th code"),
      place: text(cell.parentElement, "th .hint"),
      error: document.getElementById("head").children[cell.cellIndex].textContent,
      outcome: button.firstChild.data,
      head: text(detail, "#detail-head"),
      rules: [...detail.querySelectorAll("article li:first-child code")].map((code) => code.textContent),
      badge: text(detail, ".badge"),
    };
    detail.close();
    return opened;
  });
}

/* Each cell opens just the runs of its place and error. */
async function cellsOpen(page) {
  for (const { call, place, error, outcome, head, rules, badge } of await page.evaluate(openEach)) {
    same(head, `${call} ${place}, ${error}: ${outcome}`, "what is open");
    same(badge, outcome, "its outcome");
    const wanted = call.replace(" ", "/") + ":error=" + error;
    check(rules.length > 0 && rules.every((r) => r.startsWith(wanted)), `${rules} is open, not ${wanted}`);
  }
}

async function opening(page) {
  const cell = cells(page).filter({ hasText: "crashed" }).first();
  await cell.focus();
  await page.keyboard.press("Enter");
  same(await isOpen(page), 1, "Enter opens");
  same(await focused(page), await head(page), "the focus is in what was opened");
  const words = await page.locator("#detail-body").innerText();
  check(words.includes("killed by SIG"), "how it ended: " + words.slice(0, 200));
  await contrast(page, "open runs");
  const told = await names(page, "open runs");
  same(
    told.filter((n) => n.role === "dialog").map((n) => n.name),
    [await head(page)],
    "the dialog's name",
  );
  await page.click("#detail-close");
  same(await isOpen(page), 0, "Close closes");
  await cell.click();
  same(await isOpen(page), 1, "a click opens");
  await page.keyboard.press("Escape");
  same(await isOpen(page), 0, "Escape closes");
  check((await focused(page)).startsWith("crashed"), "and goes back to the cell: " + (await focused(page)));
  await page.locator(".finding button").first().click();
  same(await isOpen(page), 1, "a finding opens its runs");
  const runs = await page.evaluate(() => sweep.findings[0].runs.length);
  same(await page.locator("#detail-body article").count(), runs, "all of them");
  await page.mouse.click(5, 5);
  same(await isOpen(page), 0, "a click beside it closes");
}

/* The command's words are text, and turn nothing round. */
async function command(page) {
  same(await page.locator("img, h1 *:not(bdi)").count(), 0, "the command is no markup");
  const words = await page.locator("#command").textContent();
  check(words.endsWith("</script><img src=x onerror=console.error(1)>\\u202e\\u0001x"), "the command: " + words);
}

async function useAll(page) {
  await command(page);
  await contrast(page, "the table");
  const told = await names(page, "the table");
  check(
    told.some((n) => n.role === "button" && /^shmat .*EACCES: crashed, 1 run$/.test(n.name)),
    "a cell says all that it is",
  );
  await table(page);
  await cellsOpen(page);
  await opening(page);
  await narrow(page);
  check((await sheets(page)) < 4, "sheets of paper");
}

use(process.argv[2], useAll);
