/*
 * node matrix_page.js PAGE: uses a page of `shmcheck matrix` as a person does, by mouse and by keyboard.
 * PAGE has at least two platforms that differ in shmdt.error.second. Tells each thing that is wrong, and ends in 1.
 * node matrix_page.js --load PAGE: only opens it, and its gravest behaviour.
 * Ends in 77 where playwright-core is not installed.
 */
"use strict";
const { execFileSync } = require("child_process");

function playwright() {
  try {
    const folder = execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim();
    return require(folder + "/playwright-core");
  } catch {
    console.log("playwright-core is not installed");
    process.exit(77);
  }
}

const ID = "shmdt.error.second";
const wrong = [];

function check(good, what) {
  if (!good) wrong.push(what);
}

function same(seen, expected, what) {
  check(JSON.stringify(seen) === JSON.stringify(expected), `${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

/* Words of the page that are less readable than WCAG's AA demands. Runs in the page. */
function paleWords() {
  const channel = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { light: 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255), a };
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.a === 1) return color.light;
    }
    return 1;
  };
  const pale = new Set();
  const walker = document.createTreeWalker(document.querySelector("dialog[open]") ?? document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility() || element.closest("script, style, option, .unseen, :disabled")) continue;
    const [low, high] = [parse(getComputedStyle(element).color).light, ground(element)].sort((x, y) => x - y);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) pale.add(`${text.slice(0, 30)} (${element.className}) ${ratio.toFixed(2)}`);
  }
  return [...pale];
}

async function contrast(page, where) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    same(await page.evaluate(paleWords), [], `contrast of ${where}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const hash = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1));
const shown = (page) => page.locator("tr.behaviour .behaviour-id").allTextContents();
const focused = (page) => page.evaluate(() => document.activeElement.textContent);
const isOpen = (page) => page.locator("dialog[open]").count();

async function table(page) {
  const platforms = await page.evaluate(() => matrix.platforms.length);
  same(await page.locator('#matrix thead th[scope="col"]').count(), platforms + 1, "columns with a head");
  const rows = await page.locator("#rows tr[data-row]").count();
  check(rows > 5 && rows < 200, `${rows} rows are made`);
  same(await page.locator("#rows tr[data-row]").count(), await page.locator('#rows th[scope="row"]').count(), "rows with a head");
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
  await page.waitForTimeout(100);
  same(await place(), before, "head and first column stay where they are");
  await page.evaluate(() => scroller.scrollTo(0, 0));
  same(await page.evaluate(() => document.documentElement.scrollWidth), 420, "a narrow page is not wider than its window");
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function filters(page) {
  await page.fill("#filter-text", "shmdt second");
  check((await shown(page)).every((id) => id.startsWith("shmdt")), "text: " + (await shown(page)));
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
  await row.locator("td .v-fail").first().click();
  same(await isOpen(page), 1, "a click opens");
  same(hash(page).get("open"), ID, "the behaviour in the address");
  check(hash(page).get("on"), "and the platform");
  const words = await page.locator("#detail-body").innerText();
  for (const part of ["A second shmdt of an address", "POSIX XSH shmdt", "posix-shall", "shmdt(0x", "= -1 EINVAL", "diverges"])
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

/* On paper every row is there. */
async function print(page) {
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  const [rows, all] = await page.evaluate(() => [document.querySelectorAll("#rows tr.behaviour").length, matrix.behaviours.length]);
  same(rows, all, "rows on paper");
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
}

async function use(page, file) {
  await page.goto("file://" + file);
  await contrast(page, "the table");
  await page.locator("#scores summary").click();
  await contrast(page, "the scores");
  await page.goto("about:blank");
  await page.goto("file://" + file);
  await table(page);
  await filters(page);
  await opening(page);
  await keyboard(page);
  await print(page);
  await links(page, file);
}

async function load(page, file) {
  await page.goto("file://" + file);
  check((await page.locator("#rows tr[data-row]").count()) > 0, "there are rows");
  await page.evaluate(() => (location.hash = "#group=verdict"));
  await page.locator("#rows tr.behaviour button").first().click();
  same(await isOpen(page), 1, "a behaviour can be opened");
  await contrast(page, "it");
  same(await page.locator("img, #rows script, dialog script").count(), 0, "text is no markup");
}

(async () => {
  const only = process.argv[2] === "--load";
  const file = process.argv[only ? 3 : 2];
  const browser = await playwright().chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("console", (m) => wrong.push("console: " + m.text()));
  page.on("pageerror", (e) => wrong.push("error: " + e.message));
  page.on("request", (r) => r.url().split("#")[0] === "file://" + file || wrong.push("request: " + r.url().slice(0, 100)));
  page.setDefaultTimeout(8000);
  try {
    await (only ? load : use)(page, file);
  } catch (e) {
    wrong.push(e.message);
  }
  await browser.close();
  console.log(wrong.join("\n"));
  process.exit(wrong.length ? 1 : 0);
})();
