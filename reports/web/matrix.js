"use strict";
/* The page: what its address says is what is shown, and what is chosen is put into its address. */

const by = (id) => document.getElementById(id);
const read = (id) => JSON.parse(by(id).textContent);
const matrix = new Matrix(read("matrix-data"), new Told(() => read("matrix-stories")));
const single = matrix.platforms.length === 1;
const DEFAULT_GROUP = single ? "verdict" : "topic";

/* ---- state ---- */

const state = {};

function readState() {
  const words = new URLSearchParams(location.hash.slice(1));
  const one = (name, known) => (known.includes(words.get(name)) ? words.get(name) : "");
  state.q = words.get("q") ?? "";
  state.topic = one("topic", matrix.topics);
  state.level = one("level", matrix.levels);
  state.verdict = one("verdict", ["diverges", ...matrix.verdicts]);
  state.group = one("group", ["topic", "verdict"]) || DEFAULT_GROUP;
  state.differ = words.get("differ") === "1";
  state.scores = words.has("scores") ? words.get("scores") === "1" : scoresOpen;
  state.folded = new Set(words.getAll("fold"));
  state.behaviour = matrix.byId(words.get("open")) ?? null;
  const platform = matrix.platforms.findIndex((p) => p.name === words.get("on"));
  state.platform = platform === -1 ? null : platform;
}

function hash() {
  const words = new URLSearchParams();
  for (const name of ["q", "topic", "level", "verdict"]) if (state[name]) words.set(name, state[name]);
  if (state.group !== DEFAULT_GROUP) words.set("group", state.group);
  if (state.differ) words.set("differ", "1");
  if (state.scores !== scoresOpen) words.set("scores", state.scores ? "1" : "0");
  for (const name of state.folded) words.append("fold", name);
  if (state.behaviour) words.set("open", state.behaviour.id);
  if (state.behaviour && state.platform !== null) words.set("on", matrix.platforms[state.platform].name);
  return "#" + words;
}

/* A behaviour that is opened is a step for the browser's Back; letters that are typed are not. */
function writeState(step = false) {
  if (hash() === (location.hash || "#")) return;
  if (step) history.pushState(null, "", hash());
  else history.replaceState(null, "", hash());
}

/* ---- drawing ---- */

const page = {
  open(behaviour, platform = null) {
    const step = !state.behaviour;
    Object.assign(state, { behaviour, platform });
    writeState(step);
    drawDetail();
  },
  close() {
    Object.assign(state, { behaviour: null, platform: null });
    writeState();
    drawDetail();
  },
  step(by) {
    const next = neighbours()[by < 0 ? 0 : 1];
    if (!next) return;
    table.setAt(table.indexOf(next));
    table.reveal(table.at);
    page.open(next, state.platform);
  },
  fold(name) {
    if (!state.folded.delete(name)) state.folded.add(name);
    writeState();
    draw();
  },
};

const scoresOpen = matrix.platforms.length <= 3;
const table = new MatrixTable(matrix, page);
const detail = new Detail(matrix, page);
let groups = [];

/* The behaviours before and after the open one, among those that the filters leave. */
function neighbours() {
  const shown = table.rows.flatMap((r) => r.behaviour ?? []);
  const at = shown.indexOf(state.behaviour);
  return at === -1 ? [undefined, undefined] : [shown[at - 1], shown[at + 1]];
}

function drawDetail() {
  if (!state.behaviour) {
    const held = detail.dialog.open;
    detail.hide();
    if (held && table.rows.length) table.go(table.at);
    return;
  }
  const at = table.indexOf(state.behaviour);
  if (at !== -1 && !detail.dialog.open) {
    table.setAt(at);
    table.reveal(at);
  }
  const [before, after] = neighbours();
  detail.show(state.behaviour, state.platform, before, after);
}

function draw() {
  const left = matrix.filtered(state);
  groups = matrix.grouped(left, state.group);
  table.show(groups, state.folded, state.group);
  const all = matrix.behaviours.length;
  const diverging = left.filter((b) => b.diverges).length;
  by("count").textContent =
    (left.length === all ? count(all, "behaviour") : figure(left.length) + " of " + count(all, "behaviour")) +
    (single ? "" : ", " + figure(left.filter((b) => b.differs).length) + " where platforms differ") +
    ", " +
    figure(diverging) +
    (diverging === 1 ? " diverges" : " diverge");
  by("fold").textContent = isAllFolded() ? "Unfold all" : "Fold all";
}

function isAllFolded() {
  return groups.length > 0 && groups.every((g) => state.folded.has(g.name));
}

function drawControls() {
  by("filter-text").value = state.q;
  by("filter-topic").value = state.topic;
  by("filter-level").value = state.level;
  by("filter-verdict").value = state.verdict;
  by("group").value = state.group;
  by("filter-differ").checked = state.differ;
  if (state.scores) fillScores();
  by("scores").open = state.scores;
}

function drawAll() {
  readState();
  drawControls();
  draw();
  drawDetail();
}

/* ---- what is there once ---- */

function option(value, text = value) {
  return element("option", { value }, visible(text));
}

function fillControls() {
  by("filter-topic").append(option("", "all"), ...matrix.topics.map((t) => option(t)));
  const levels = matrix.levels.filter((l) => matrix.behaviours.some((b) => b.level === l));
  by("filter-level").append(option("", "all"), ...levels.map((l) => option(l)));
  by("filter-verdict").append(
    option("", "all"),
    option("diverges", "diverges"),
    ...matrix.verdicts.map((v) => option(v)),
  );
  by("differ-label").hidden = single;
  legend(by("legend"), matrix);
}

function scoreCell(score) {
  if (!score) return element("td", { class: "none" }, "\u2013");
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span"));
  bar.firstChild.style.width = (100 * score.passed) / score.tried + "%";
  return element(
    "td",
    { class: score.passed === score.tried ? "all" : null },
    element("span", { class: "figures" }, score.passed + "/" + score.tried),
    element("span", { class: "share" }, percent(score)),
    bar,
  );
}

/* Made when they are first seen: of many platforms they are much, and folded. */
function fillScores() {
  if (by("score-body").firstChild) return;
  const levels = matrix.levels.filter((l) => matrix.scores(l).some((s) => s));
  const columns = [matrix.scores(), ...levels.map((l) => matrix.scores(l))];
  by("score-head").append(
    ...["Platform", "Judged by", "All", ...levels].map((h) => element("th", { scope: "col" }, h)),
  );
  by("score-body").append(
    ...matrix.platforms.map((p) =>
      element(
        "tr",
        {},
        element(
          "th",
          { scope: "row" },
          apart(p.name),
          /* A name that says it all needs no description. */
          p.description.includes(p.name.split(",")[0])
            ? null
            : element("span", { class: "hint platform-description", title: p.description }, apart(p.description)),
          p.cut ? element("span", { class: "cut platform-description", title: p.cut }, apart(p.cut)) : null,
        ),
        element("td", {}, apart(p.profile)),
        ...columns.map((scores) => scoreCell(scores[p.number])),
      ),
    ),
  );
}

function fillHead() {
  const [first] = matrix.platforms;
  const title = single ? first.name : "System V shared memory on " + count(matrix.platforms.length, "platform");
  by("title").replaceChildren(apart(title));
  document.title = cut(visible(title), 80) + " \u2013 shmcheck";
  by("scores-hint").textContent = "passed of those tried, by how binding they are";
  if (single) by("about").replaceChildren(apart(first.description));
  else
    by("about").textContent =
      "Each behaviour is judged on each platform against POSIX and Linux. Choose one to see what happened.";
}

/* ---- hands ---- */

function listen(id, event, name, value) {
  by(id).addEventListener(event, (e) => {
    state[name] = value(e.target);
    writeState();
    table.home();
    draw();
  });
}

listen("filter-text", "input", "q", (t) => t.value);
listen("filter-topic", "change", "topic", (t) => t.value);
listen("filter-level", "change", "level", (t) => t.value);
listen("filter-verdict", "change", "verdict", (t) => t.value);
listen("group", "change", "group", (t) => t.value);
listen("filter-differ", "change", "differ", (t) => t.checked);

by("filters").addEventListener("submit", (e) => e.preventDefault());
by("filters").addEventListener("reset", (e) => {
  e.preventDefault();
  Object.assign(state, { q: "", topic: "", level: "", verdict: "", differ: false, folded: new Set() });
  writeState();
  drawControls();
  table.home();
  draw();
});
by("fold").addEventListener("click", () => {
  state.folded = isAllFolded() ? new Set() : new Set(groups.map((g) => g.name));
  writeState();
  draw();
});
by("scores").addEventListener("toggle", () => {
  if (table.printing) return;
  fillScores();
  state.scores = by("scores").open;
  writeState();
});
/* On paper nobody can unfold them, nor wait for the table. */
addEventListener("beforeprint", () => {
  if (!table.made) drawAll();
  fillScores();
  by("scores").open = true;
});
addEventListener("afterprint", () => (by("scores").open = state.scores));
by("skip").addEventListener("click", (e) => {
  e.preventDefault();
  table.go(table.at);
});
addEventListener("popstate", drawAll);
addEventListener("hashchange", drawAll);

fillHead();
fillControls();
readState();
drawControls();
painted(drawAll);
