/*
 * node matrix_paint.js PAGE: opens a page of `shmcheck matrix` and an empty one in turn, and prints medians: the first
 * paint of content, the document being ready, the table painted, and a letter in the filter until the rows that are
 * left are painted. Ends in 77 where playwright-core is not installed.
 */
"use strict";
const fs = require("fs");
const path = require("path");
const { launch } = require("../tests/browser.js");

const ROUNDS = 5;

const median = (values) => [...values].sort((x, y) => x - y)[values.length >> 1];

/* In milliseconds from the begin of the navigation. */
async function open(browser, file) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    const look = () => {
      const shown = document.querySelector("#rows tr.behaviour") || (document.body && !document.scripts.length);
      if (shown) setTimeout(() => (window.shown = performance.now()));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto("file://" + file);
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length && window.shown);
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    ready: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
    shown: window.shown,
  }));
  return { page, ...times };
}

/* From a key's press until what it changes is painted; the first is the one that makes what later ones use. */
async function letter(page, key) {
  await page.focus("#filter-text");
  await page.evaluate(() => {
    addEventListener("keydown", (e) => (window.pressed = e.timeStamp), { once: true, capture: true });
    addEventListener(
      "input",
      () => requestAnimationFrame(() => setTimeout(() => (window.painted = performance.now()))),
      {
        once: true,
      },
    );
    window.painted = 0;
  });
  await page.keyboard.press(key);
  await page.waitForFunction(() => window.painted > 0);
  return page.evaluate(() => window.painted - window.pressed);
}

async function measure(browser, file, empty) {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const floor = await open(browser, empty);
    await floor.page.close();
    const whole = await open(browser, file);
    const letters = [await letter(whole.page, "s"), await letter(whole.page, "h")];
    await whole.page.close();
    rounds.push({
      floor: floor.paint,
      paint: whole.paint,
      ready: whole.ready,
      shown: whole.shown,
      letter: letters[0],
      next: letters[1],
    });
  }
  return (name) => median(rounds.map((r) => r[name]));
}

(async () => {
  const file = process.argv[2];
  const empty = path.join(path.dirname(file), "empty.html");
  fs.writeFileSync(empty, "<!DOCTYPE html><title>empty</title><p>empty");
  const browser = await launch();
  await (await open(browser, empty)).page.close(); /* The browser's own first page costs more than any later one. */
  const sized = await open(browser, file);
  const [platforms, behaviours] = await sized.page.evaluate(() => [
    matrix.platforms.length,
    matrix.behaviours.length,
  ]);
  await sized.page.close();
  const of = await measure(browser, file, empty);
  await browser.close();
  const bytes = fs.statSync(file).size;
  console.log(
    `page of ${platforms} platforms and ${behaviours} behaviours, ${(bytes / 1e6).toFixed(2)} MB (wanted: at most 3)`,
  );
  for (const [name, what, wanted] of [
    ["floor", "an empty page's first paint", ""],
    ["paint", "first paint of content", " (wanted: at most 300 ms)"],
    ["ready", "ready", ""],
    ["shown", "its table painted", ""],
    ["letter", "a letter in the filter, painted", ""],
    ["next", "the next letter", ""],
  ]) {
    const ratio = of(name) / of("floor");
    console.log(
      `${what.padEnd(34)} ${of(name).toFixed(0).padStart(5)} ms ${ratio.toFixed(1).padStart(6)} times${wanted}`,
    );
  }
})().catch((e) => {
  console.error("matrix_paint: " + e.message);
  process.exit(3);
});
