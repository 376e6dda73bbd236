/*
 * node matrix_page.js PAGE: uses a page of `shmcheck matrix` as a person does, by mouse and by keyboard.
 * PAGE has at least two platforms that differ in shmdt.error.second. Tells each thing that is wrong, and ends in 1.
 * node matrix_page.js --load PAGE: only opens it, and its gravest behaviour.
 * Ends in 77 where playwright-core is not installed.
 */
"use strict";
const { check, same, use, contrast, names, focused, isOpen, settled, sheets } = require("./browser.js");

const ID = "shmdt.error.second";

const hash = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1));
const shown = (page) => page.locator("tr.behaviour .behaviour-id").allTextContents();

async function table(page) {
  const platforms = await page.evaluate(() => matrix.platforms.length);
  same(await page.locator('#matrix thead th[scope="col"]').count(), platforms + 1, "columns with a head");
  const rows = await page.locator("#rows tr[data-row]").count();
  check(rows > 5 && rows < 200, `${rows} rows are made`);
  same(
    await page.locator("#rows tr[data-row]").count(),
    await page.locator('#rows th[scope="row"]').count(),
    "rows with a head",
  );
  const place = () =>
    page.evaluate(() => {
      const box = document.getElementById("scroller").getBoundingClientRect();
      const head = document.querySelector("#head .corner").getBoundingClientRect();
      const name = document.querySelector("#rows tr.behaviour th").getBoundingClientRect();
      return [Math.round(head.top - box.top), Math.round(head.left - box.left), Math.round(name.left - box.left)];
    });
  await page.setViewportSize({ width: 420, height: 500 });
  const before = await place();
  await page.evaluate(() => scroller.scrollTo(200, 400));
  await settled(page);
  same(await place(), before, "head and first column stay where they are");
  await page.evaluate(() => scroller.scrollTo(0, 0));
  same(
    await page.evaluate(() => document.documentElement.scrollWidth),
    420,
    "a narrow page is not wider than its window",
  );
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function filters(page) {
  await page.fill("#filter-text", "shmdt second");
  check(
    (await shown(page)).every((id) => id.startsWith("shmdt")),
    "text: " + (await shown(page)),
  );
  same(hash(page).get("q"), "shmdt second", "the text in the address");
  await page.fill("#filter-text", "no such thing");
  same(await shown(page), [], "text that is nowhere");
  await page.click("text=Clear");
  same(page.url().split("#")[1] ?? "", "", "no filter, no fragment");
  await page.check("#filter-differ");
  check((await shown(page)).includes(ID), "where platforms differ");
  const differing = (await shown(page)).length;
  await page.selectOption("#filter-level", "posix-shall");
  check((await shown(page)).length <= differing && (await shown(page)).includes(ID), "level");
  await page.selectOption("#filter-topic", "ftok");
  same(await shown(page), [], "topic and level");
  await page.click("text=Clear");
  await page.selectOption("#group", "verdict");
  same(await page.locator("#rows tr.group .group-name bdi").first().textContent(), "fail", "the worst first");
  await page.selectOption("#group", "topic");
  const rows = Number(await page.getAttribute("#matrix", "aria-rowcount"));
  await page.locator("#rows tr.group button").first().click();
  check(Number(await page.getAttribute("#matrix", "aria-rowcount")) < rows, "a group is folded");
  same(await page.locator("#rows tr.group button").first().getAttribute("aria-expanded"), "false", "and says so");
  await page.click("text=Clear");
}

async function opening(page) {
  await page.check("#filter-differ");
  const row = page.locator("tr.behaviour", { hasText: ID });
  await row.locator("td .v-fail").first().hover();
  const hint = await row.locator("td:has(.v-fail)").first().getAttribute("title");
  check(/: fail\n.*expected EINVAL got/.test(hint), "a cell that is pointed at says what it is: " + hint);
  await row.locator("td .v-fail").first().click();
  same(await isOpen(page), 1, "a click opens");
  same(hash(page).get("open"), ID, "the behaviour in the address");
  check(hash(page).get("on"), "and the platform");
  const words = await page.locator("#detail-body").innerText();
  for (const part of [
    "A second shmdt of an address",
    "POSIX XSH shmdt",
    "posix-shall",
    "shmdt(0x",
    "= -1 EINVAL",
    "diverges",
  ])
    check(words.includes(part), `${part} is not in the open behaviour: ${words.slice(0, 400)}`);
  same(await page.locator(".story").count(), 2, "what failed beside what passed");
  same(await page.locator('.story[aria-current="true"] .word').textContent(), "fail", "the chosen platform's first");
  await contrast(page, "an open behaviour");
  await page.keyboard.press("Escape");
  same(await isOpen(page), 0, "Escape closes");
  check((await focused(page)).startsWith(ID), "and goes back to the row: " + (await focused(page)));
  await row.locator("button").click();
  await page.goBack();
  same(await isOpen(page), 0, "Back closes");
  await page.click("text=Clear");
}

async function keyboard(page) {
  await page.keyboard.press("Tab");
  await page.locator("#skip").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  const first = await focused(page);
  await page.keyboard.press("ArrowDown");
  check(first !== (await focused(page)), "the arrow goes to the next row");
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  same(await focused(page), first, "and there is one way back");
  await page.keyboard.press("Enter");
  same(await isOpen(page), 1, "Enter opens");
  check(first.startsWith(await page.locator("#detail-id").textContent()), "the row that has the focus");
  await page.locator("#detail-after").press("Enter");
  check(!first.startsWith(await page.locator("#detail-id").textContent()), "and the next one");
  await page.keyboard.press("Escape");
  same(await page.locator('#rows button[tabindex="0"]').count(), 1, "the table is one stop of Tab");
}

async function links(page, file) {
  await page.goto("about:blank");
  await page.goto(`file://${file}#q=shmdt&differ=1&group=verdict&open=${ID}`);
  same(await page.inputValue("#filter-text"), "shmdt", "the link's text");
  same(await page.isChecked("#filter-differ"), true, "the link's box");
  same(await page.inputValue("#group"), "verdict", "the link's groups");
  same(await page.locator("#detail-id").textContent(), ID, "the link's behaviour");
  await page.goto("about:blank");
  await page.goto(`file://${file}#topic=nowhere&open=%3Cscript%3E&level=%00&on=__proto__&fold=%E2%80%AE`);
  same(await isOpen(page), 0, "a link to nothing");
  check((await shown(page)).length > 0, "shows all");
}

/* What a screen reader is told of the table, and of an open behaviour. */
async function roles(page) {
  const platforms = await page.evaluate(() => matrix.platforms.length);
  await page.fill("#filter-text", ID);
  let told = await names(page, "the table");
  const of = (role, name) => told.filter((n) => n.role === role && n.name.includes(name));
  same(of("table", "Verdicts of each platform by behaviour").length, 1, "the table's role");
  same(of("search", "Filter the behaviours").length, 1, "the filters' role");
  same(of("status", "").length, 1, "what tells how many are left");
  same(of("columnheader", "").length >= platforms + 1, true, "heads of columns");
  same(of("rowheader", ID).length, 1, "the row's head");
  const [row] = of("row", "").filter((n) => n.below.some((b) => b.role === "rowheader" && b.name.includes(ID)));
  const words = row.below.filter((n) => n.role === "StaticText").map((n) => n.name);
  same(
    ["pass", "fail"].every((w) => words.includes(w)),
    true,
    "verdicts as words: " + words,
  );
  await page.locator("tr.behaviour button").click();
  told = await names(page, "an open behaviour");
  same(of("dialog", ID).length, 1, "the open behaviour's role");
  same(of("table", "Verdicts").length, 0, "what is behind it is not spoken of");
  same(of("heading", "A second shmdt").length, 1, "its sentence is a heading");
  await page.keyboard.press("Escape");
  await page.click("text=Clear");
}

/* On paper every row is there, and none of what only a hand can use. */
async function print(page) {
  const rows = () => page.evaluate(() => document.querySelectorAll("#rows tr.behaviour").length);
  const all = await page.evaluate(() => matrix.behaviours.length);
  await page.setViewportSize({ width: 1280, height: 400 });
  for (const top of [0, 700]) {
    await page.evaluate((y) => scroller.scrollTo(0, y), top);
    await settled(page);
    check((await rows()) < all, "rows are left out while they are out of sight");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    same(await rows(), all, "rows on paper");
    same(await page.locator("#filters, #fold, .skip").filter({ visible: true }).count(), 0, "controls on paper");
    await page.emulateMedia({ media: "screen" });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  }
  const whole = await sheets(page);
  await page.fill("#filter-text", ID);
  const one = await sheets(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  check(one === 1 && whole > one && whole < 2 + all / 10, `${all} behaviours on ${whole} sheets, one on ${one}`);
  await page.click("text=Clear");
}

async function useAll(page, file) {
  await contrast(page, "the table");
  await page.locator("#scores summary").click();
  await contrast(page, "the scores");
  await page.goto("about:blank");
  await page.goto("file://" + file);
  await table(page);
  await filters(page);
  await opening(page);
  await keyboard(page);
  await roles(page);
  await print(page);
  await links(page, file);
}

async function load(page) {
  check((await page.locator("#rows tr[data-row]").count()) > 0, "there are rows");
  await page.evaluate(() => (location.hash = "#group=verdict"));
  await page.locator("#rows tr.behaviour button").first().click();
  same(await isOpen(page), 1, "a behaviour can be opened");
  await contrast(page, "it");
  await names(page, "it");
  same(await page.locator("img, #rows script, dialog script").count(), 0, "text is no markup");
  const seen = await page.evaluate(() => document.body.innerText);
  same(
    seen.match(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/g),
    null,
    "what turns or hides text is not shown",
  );
  same(await page.evaluate(() => document.documentElement.scrollWidth), 1280, "no text makes the page wider");
}

const only = process.argv[2] === "--load";
const file = process.argv[only ? 3 : 2];
use(file, (page) => (only ? load : useAll)(page, file));
