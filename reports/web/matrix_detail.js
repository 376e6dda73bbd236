"use strict";
/* An open behaviour: what it demands, and what each platform did, side by side. */

/* Addresses and identifiers differ from run to run: they do not make two steps differ. */
function masked(text) {
  return text.replace(/\b0x[0-9a-f]+|\b\d{4,}\b/g, "#");
}

class Detail {
  /* page: close(), step(by) */
  constructor(matrix, page) {
    this.matrix = matrix;
    this.dialog = document.getElementById("detail");
    this.body = document.getElementById("detail-body");
    this.name = document.getElementById("detail-id");
    document.getElementById("detail-close").addEventListener("click", () => page.close());
    document.getElementById("detail-before").addEventListener("click", () => page.step(-1));
    document.getElementById("detail-after").addEventListener("click", () => page.step(1));
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    this.dialog.addEventListener("cancel", (e) => {
      e.preventDefault();
      page.close();
    });
    this.dialog.addEventListener("click", (e) => {
      if (e.target === this.dialog) page.close();
    });
  }

  /* What is above all else on the screen would be cut at the end of the first page. */
  print(on) {
    if (!this.dialog.open) return;
    this.dialog.close();
    if (on) this.dialog.show();
    else this.dialog.showModal();
  }

  show(behaviour, platform, hasBefore, hasAfter) {
    document.getElementById("detail-before").disabled = !hasBefore;
    document.getElementById("detail-after").disabled = !hasAfter;
    this.name.replaceChildren(apart(behaviour.id));
    this.body.replaceChildren(...this.head(behaviour), ...this.platforms(behaviour, platform));
    this.body.scrollTop = 0;
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.name.focus();
    }
  }

  hide() {
    if (this.dialog.open) this.dialog.close();
  }

  head(b) {
    const rows = [
      ["Clause", b.clause],
      ["Level", b.level],
      ["Topic", b.topic],
      ["Note", b.note],
      ["Known to differ", b.known],
    ].filter(([, text]) => text);
    return [
      element("h2", { class: "sentence" }, apart(b.sentence)),
      element(
        "dl",
        { class: "about" },
        ...rows.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, apart(text))]),
      ),
    ];
  }

  platforms(b, platform) {
    const chosen = b.storyOf(platform);
    const order = (s) => (s === chosen ? -1 : GRAVITY.indexOf(s.verdict));
    const stories = [...b.stories].sort((x, y) => order(x) - order(y));
    const told = stories.filter((s) => s.told);
    const model = b.stories.find((s) => s.told && s.verdict === "pass") ?? null;
    const parts = [];
    if (told.length)
      parts.push(
        element("div", { class: "stories" }, ...told.map((s) => this.story(s, model, s === chosen, b.variantOf(s)))),
      );
    const rest = stories.filter((s) => !s.told);
    if (rest.length) parts.push(element("ul", { class: "rest" }, ...rest.map((s) => this.line(s, s === chosen))));
    if (!told.length)
      parts.push(
        element(
          "p",
          { class: "hint" },
          "No platform diverges here, and no two differ: the calls are in the records.",
        ),
      );
    const absent = this.matrix.platforms.filter((p) => !b.verdictOf(p.number));
    if (absent.length)
      parts.push(
        element("p", { class: "hint" }, "Not in the record of: ", ...this.names(absent.map((p) => p.number))),
      );
    return parts;
  }

  names(platforms) {
    return platforms.map((p) => element("span", { class: "name" }, apart(this.matrix.platforms[p].name)));
  }

  story(s, model, chosen, variant) {
    return element(
      "article",
      { class: "story" + (chosen ? " chosen" : ""), "aria-current": chosen ? "true" : null },
      element(
        "header",
        {},
        tile(s.verdict, element("span", { class: "word" }, s.verdict + (variant && " " + variant))),
        element("p", { class: "names" }, ...this.names(s.platforms)),
      ),
      s.why ? element("p", { class: "why" }, apart(s.why)) : null,
      this.observations(s),
      this.steps(s, model),
      s.platforms.length > 1
        ? element("p", { class: "hint" }, "Addresses and identifiers as on the first of them.")
        : null,
    );
  }

  line(s, chosen) {
    return element(
      "li",
      { "aria-current": chosen ? "true" : null },
      tile(s.verdict, element("span", { class: "word" }, s.verdict)),
      ...this.names(s.platforms),
      s.why ? apart(s.why, { class: "why" }) : null,
    );
  }

  /* What diverges comes first. */
  observations(s) {
    if (!s.observations.length) return null;
    const marks = [
      ["\u2717", "diverges"],
      ["\u2713", "allowed"],
      ["\u00b7", "not judged"],
    ];
    const rows = [...s.observations].sort((x, y) => (x.mark === 0 ? 0 : 1) - (y.mark === 0 ? 0 : 1));
    return element(
      "table",
      { class: "observations", "aria-label": "What was checked" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...["", "Check", "Expected", "Seen"].map((h) =>
            element("th", { scope: "col" }, h || element("span", { class: "unseen" }, "Result")),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        ...rows.map((o) =>
          element(
            "tr",
            { class: o.mark === 0 ? "bad" : null },
            element(
              "td",
              {},
              element("span", { "aria-hidden": "true" }, marks[o.mark][0]),
              element("span", { class: "unseen" }, marks[o.mark][1]),
            ),
            element("td", {}, apart(o.what), o.step ? element("span", { class: "hint" }, " step " + o.step) : null),
            element("td", {}, apart(o.expected || "anything", { class: "value" })),
            element("td", {}, apart(o.seen || "nothing", { class: "value" })),
          ),
        ),
      ),
    );
  }

  steps(s, model) {
    if (!s.steps.length) return null;
    const bad = new Set(s.observations.filter((o) => o.mark === 0).map((o) => o.step));
    const left = (n, where) => (n ? element("li", { class: "hint" }, count(n, "step") + " " + where) : null);
    return element(
      "ol",
      { class: "steps", "aria-label": "Calls" },
      left(s.before, "before these"),
      ...s.steps.map((step, i) => this.step(step, bad.has(step.n), model && model !== s ? model.steps[i] : null)),
      left(s.after, "after these"),
    );
  }

  step(step, bad, other) {
    const differs = other && masked(step.call + step.result) !== masked(other.call + other.result);
    return element(
      "li",
      { class: bad ? "bad" : differs ? "differs" : null },
      element("span", { class: "number" }, String(step.n)),
      element(
        "code",
        {},
        apart(step.call),
        " = ",
        apart(step.result, { class: "result" }),
        step.by && step.by !== "case" ? element("span", { class: "hint" }, " (", apart(step.by), ")") : null,
      ),
      bad
        ? element("span", { class: "badge" }, "diverges")
        : differs
          ? element("span", { class: "badge plain" }, "differs")
          : null,
    );
  }
}
