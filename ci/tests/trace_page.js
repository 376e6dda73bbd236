/*
 * node trace_page.js PAGE: uses a page of `shmcheck trace` by mouse and by keyboard; a call in it fails, and a segment
 * is left behind. Tells each thing that is wrong, and ends in 1; in 77 where playwright-core is not installed.
 */
"use strict";
const { check, same, use, contrast, names, narrow, settled, sheets } = require("./browser.js");

const rows = (page) => page.locator("#table-body tr[data-call]");
const detail = (page) => page.locator("#detail").innerText();
const chosen = (page) => page.locator('#table-body tr[aria-current="true"]').getAttribute("data-call");
const calls = (page) =>
  page.evaluate(() => JSON.parse(document.getElementById("trace-data").textContent).calls.length);

/* Where the mouse finds marks, attachments and segments: [[first line of what is told, x, y]]. Runs in the page. */
function marks() {
  const box = document.getElementById("plot").getBoundingClientRect();
  const tip = document.getElementById("tip");
  const found = new Map();
  const lanes = [...document.querySelectorAll("#rows .label")].map((label) => label.getBoundingClientRect());
  for (const y of lanes.flatMap(({ top, height }) => [top + height / 4, top + height / 2, top + (3 * height) / 4])) {
    for (let x = box.left; x < box.right; x += 6) {
      document.getElementById("chart").dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y }));
      const line = tip.hidden ? "" : tip.querySelector(".line").textContent;
      if (line && !found.has(line)) found.set(line, [line, x, y]);
    }
  }
  return [...found.values()];
}

async function mouse(page) {
  const found = await page.evaluate(marks);
  const told = found.map(([line]) => line);
  for (const text of await rows(page).locator("code:first-of-type").allTextContents()) {
    const [, x, y] = found.find(([line]) => line.startsWith(text)) ?? [];
    if (!check(x, `no mark tells ${text}: ${told}`)) continue;
    await page.mouse.click(x + 1, y + 1);
    check((await detail(page)).includes(text), `a click on the mark of ${text} tells ${await detail(page)}`);
    check(
      (
        await rows(page)
          .nth(await chosen(page))
          .textContent()
      ).includes(text),
      `and does not choose its row`,
    );
  }
  check(
    told.some((line) => line.includes("Attachment of ")),
    "attachments do not tell what they are: " + told,
  );
  check(
    told.some((line) => line.includes("Segment ")),
    "segments do not tell what they are: " + told,
  );
}

async function keyboard(page) {
  await page.keyboard.press("Escape");
  await page.locator("#zoom-whole").focus();
  await page.keyboard.press("Tab");
  same(await page.evaluate(() => document.activeElement.id), "chart", "the chart is one stop of Tab");
  await page.keyboard.press("Home");
  const first = await chosen(page);
  same(
    await page
      .locator("#said")
      .textContent()
      .then((t) => t.length > 0),
    true,
    "what is chosen is said",
  );
  await page.keyboard.press("ArrowRight");
  check((await chosen(page)) !== first, "the arrow goes to the next mark");
  await page.keyboard.press("ArrowLeft");
  same(await chosen(page), first, "and back");
  await page.keyboard.press("Enter");
  await settled(page);
  same(await page.evaluate(() => document.activeElement.dataset.call), first, "Enter goes to the row");
  await page.keyboard.press("ArrowDown");
  same(await page.evaluate(() => document.activeElement.dataset.call), await chosen(page), "the list has arrows too");
}

/* The axis' ends, as the page has drawn them. */
const view = (page) => page.evaluate(() => document.getElementById("axis").toDataURL());

async function zoom(page) {
  await page.click("#zoom-whole");
  await settled(page);
  const whole = await view(page);
  for (const [what, press] of [
    ["the button", () => page.click("#zoom-in")],
    ["a double click", async () => page.mouse.dblclick(...(await middle(page)))],
    ["the wheel with Ctrl", () => wheel(page)],
  ]) {
    await press();
    await settled(page);
    check((await view(page)) !== whole, what + " zooms");
    await page.click("#zoom-whole");
    await settled(page);
    same((await view(page)) === whole, true, "the whole run is shown again after " + what);
  }
}

async function middle(page) {
  const { x, y, width, height } = await page.locator("#plot").boundingBox();
  return [x + width / 2, y + height - 3];
}

async function wheel(page) {
  await page.mouse.move(...(await middle(page)));
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -400);
  await page.keyboard.up("Control");
}

async function filters(page) {
  const all = await calls(page);
  same(await rows(page).count(), all, "rows");
  await page.check("#filter-failed");
  await settled(page);
  const failed = await rows(page).locator(".call").allTextContents();
  check(
    failed.length > 0 && failed.length < all && failed.every((t) => t.includes("= -1")),
    "failed only: " + failed,
  );
  await page.click("text=Clear");
  await settled(page);
  await page.fill("#filter-text", "shmget");
  await settled(page);
  check(
    (await rows(page).locator(".call").allTextContents()).every((t) => t.startsWith("shmget")),
    "text",
  );
  await page.fill("#filter-text", "no such thing");
  await settled(page);
  same(await rows(page).count(), 0, "text that is nowhere");
  await page.click("text=Clear");
  await settled(page);
  same(await rows(page).count(), all, "all of them again");
  await page.locator("#left-list button.link").first().click();
  check((await detail(page)).startsWith("shmget("), "what is left tells who made it: " + (await detail(page)));
}

async function useAll(page) {
  await contrast(page, "the page");
  const told = await names(page, "the page");
  const of = (role, name) => told.filter((n) => n.role === role && n.name.includes(name)).length;
  same([of("application", "Timeline"), of("search", ""), of("table", "Calls")], [1, 1, 1], "roles");
  await mouse(page);
  await contrast(page, "a chosen call");
  await keyboard(page);
  await zoom(page);
  await filters(page);
  await narrow(page);
  check((await sheets(page)) < 4, "sheets of paper");
}

use(process.argv[2], useAll);
