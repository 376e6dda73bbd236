"use strict";
/* Pieces that the table, the scores and the open behaviour are made of. */

const SIGNS = {
  pass: ["\u2713", "as it must be"],
  fail: ["\u2717", "an observation is none of those allowed"],
  crash: ["\u2021", "died by a signal"],
  hang: ["\u221e", "did not end in its time"],
  flaky: ["\u223f", "rounds of one run differ"],
  fixed: ["+", "the baseline says that it diverges, and it no longer does"],
  error: ["?", "could not be tried"],
  known: ["\u2248", "diverges as the baseline says"],
  skip: ["\u2013", "a need is missing there"],
  record: ["\u00b7", "recorded, not judged: the profile leaves it open"],
  absent: ["", "not in the record"],
};

/* Calls it once what is there now has been painted; in a page that nobody sees, and that is not painted, soon. */
function painted(call) {
  let called = false;
  const once = () => {
    if (!called) call();
    called = true;
  };
  requestAnimationFrame(() => setTimeout(once));
  setTimeout(once, 400);
}

/* An element with attributes, properties of it for those that begin with a dot, and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/* Text of a record keeps its direction to itself. */
function apart(text, attributes) {
  return element("bdi", attributes, visible(text));
}

/* A verdict by colour and by sign, and by its word for who cannot see either. */
function tile(verdict, ...more) {
  const kind = verdict ?? "absent";
  if (!more.length)
    return element(
      "span",
      { class: "tile v-" + kind, role: "img", "aria-label": kind === "absent" ? "not in the record" : kind },
      SIGNS[kind][0],
    );
  return element(
    "span",
    { class: "tile v-" + kind },
    element("span", { "aria-hidden": "true", class: "sign" }, SIGNS[kind][0]),
    ...more,
  );
}

function percent({ passed, tried }) {
  const share = (100 * passed) / tried;
  /* Neither all nor nothing by rounding. */
  const shown = passed < tried && share > 99 ? Math.floor(share * 10) / 10 : Math.round(share);
  return (passed > 0 && shown === 0 ? "<1" : shown) + "%";
}

function legend(list, matrix) {
  for (const [verdict, [, meaning]] of Object.entries(SIGNS)) {
    if (!matrix.present.has(verdict)) continue;
    const sign = tile(verdict);
    sign.setAttribute("aria-hidden", "true");
    list.append(element("li", { title: meaning }, sign, verdict === "absent" ? "not in the record" : verdict));
  }
}
