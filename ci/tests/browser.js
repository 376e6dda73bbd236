/*
 * What the programs share that use a page as a person does: a browser, and a list of what is wrong with the page.
 * A page that asks for anything or complains on its console is wrong.
 */
"use strict";
const { execFileSync } = require("child_process");

const wrong = [];

/* Returns whether it is good. */
function check(good, what) {
  if (!good) wrong.push(what);
  return good;
}

function same(seen, expected, what) {
  check(
    JSON.stringify(seen) === JSON.stringify(expected),
    `${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`,
  );
}

function playwright() {
  try {
    const folder = execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim();
    return require(folder + "/playwright-core");
  } catch {
    console.log("playwright-core is not installed");
    process.exit(77);
  }
}

async function launch() {
  return playwright().chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
}

/* Lets steps(page) use the file, tells what is wrong, and ends the program: 1 if anything was. */
async function use(file, steps) {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("console", (m) => wrong.push("console: " + m.text()));
  page.on("pageerror", (e) => wrong.push("error: " + e.message));
  page.on(
    "request",
    (r) => r.url().split("#")[0] === "file://" + file || wrong.push("request: " + r.url().slice(0, 100)),
  );
  page.setDefaultTimeout(8000);
  try {
    await page.goto("file://" + file);
    await steps(page);
  } catch (e) {
    wrong.push(e.message);
  }
  await browser.close();
  console.log(wrong.join("\n"));
  process.exit(wrong.length ? 1 : 0);
}

/* Words of the page that are less readable than WCAG's AA demands. Runs in the page. */
function paleWords() {
  const channel = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    const whole = text.startsWith("color(srgb") ? 1 : 255; /* what color-mix() comes to */
    return { light: 0.2126 * channel(r / whole) + 0.7152 * channel(g / whole) + 0.0722 * channel(b / whole), a };
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.a === 1) return color.light;
    }
    return 1;
  };
  const pale = new Set();
  const walker = document.createTreeWalker(
    document.querySelector("dialog[open]") ?? document.body,
    NodeFilter.SHOW_TEXT,
  );
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

/* Both schemes are readable, and are two. */
async function contrast(page, where) {
  const inks = new Set();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    same(await page.evaluate(paleWords), [], `contrast of ${where}, ${colorScheme}`);
    inks.add(await page.evaluate(() => getComputedStyle(document.body).color));
  }
  same(inks.size, 2, "colours of light and dark");
  await page.emulateMedia({ colorScheme: "light" });
}

/* What a screen reader is told of what is not hidden from it: [{role, name, below: [{role, name}]}]. */
async function spoken(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const byId = new Map(nodes.map((n) => [n.nodeId, n]));
  const below = (n) =>
    (n.childIds ?? []).flatMap((id) => (byId.has(id) ? [byId.get(id), ...below(byId.get(id))] : []));
  const plain = (n) => ({ role: n.role?.value, name: n.name?.value ?? "" });
  return nodes
    .filter((n) => !n.ignored)
    .map((n) => ({
      ...plain(n),
      below: below(n)
        .filter((b) => !b.ignored)
        .map(plain),
    }));
}

const NAMED = [
  "button",
  "link",
  "textbox",
  "searchbox",
  "combobox",
  "checkbox",
  "dialog",
  "table",
  "region",
  "application",
];

/* Whatever can be used or be gone to has a name. Returns what is spoken. */
async function names(page, where) {
  const told = await spoken(page);
  const nameless = told.filter((n) => NAMED.includes(n.role) && !n.name.trim()).map((n) => n.role);
  same(nameless, [], `roles without a name in ${where}`);
  return told;
}

const focused = (page) => page.evaluate(() => document.activeElement.textContent);
const isOpen = (page) => page.locator("dialog[open]").count();

/* In a small window no part of the page lies beside it. */
async function narrow(page) {
  await page.setViewportSize({ width: 420, height: 700 });
  same(
    await page.evaluate(() => document.documentElement.scrollWidth),
    420,
    "the width of the page in a window of 420",
  );
}

/* What the page has put off until it is drawn is done. */
const settled = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done)))),
  );

/* Sheets of paper that it takes to print the page. */
async function sheets(page) {
  await page.emulateMedia({ media: null });
  const pdf = await page.pdf({ preferCSSPageSize: true });
  return pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
}

module.exports = { check, same, launch, use, contrast, spoken, names, focused, isOpen, narrow, settled, sheets };
