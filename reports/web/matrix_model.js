"use strict";
/* The data of the page as objects, and what the filters leave of it. */

/* The gravest first: how a behaviour is grouped by the worst that a platform did. */
const GRAVITY = ["crash", "hang", "fail", "flaky", "fixed", "error", "known", "pass", "record", "skip"];
const DIVERGING = new Set(["fail", "crash", "hang", "flaky", "fixed"]);
const NOT_TRIED = new Set(["skip", "record"]);

class Story {
  constructor(data, [verdict, why, told]) {
    this.verdict = data.verdicts[verdict];
    this.why = data.texts[why];
    this.platforms = [];
    if (!told) return;
    const text = (n) => data.texts[n];
    const [observations, steps, before, after] = told;
    this.told = true;
    this.before = before;
    this.after = after;
    this.observations = observations.map(([mark, what, seen, expected, step, by]) => ({
      mark,
      what: text(what),
      seen: text(seen),
      expected: text(expected),
      step,
      by: text(by),
    }));
    this.steps = steps.map(([n, by, call, result]) => ({ n, by: text(by), call: text(call), result: text(result) }));
  }
}

class Behaviour {
  constructor(data, entry) {
    const [id, topic, level, sentence, clause, note, known, differs, cells, stories] = entry;
    this.data = data;
    this.id = id;
    this.topic = data.topics[topic];
    this.level = data.levels[level];
    this.sentence = sentence;
    this.clause = data.texts[clause];
    this.note = data.texts[note];
    this.known = data.texts[known];
    this.differs = differs;
    this.verdicts = Array.from(cells, (c) => {
      const story = c.codePointAt(0) - 32;
      return story ? data.verdicts[stories[story - 1][0]] : null;
    });
    this.cells = cells;
    this.packed = stories;
  }

  /* Made when it is asked for: most are never opened. */
  get stories() {
    if (!this.made) {
      this.made = this.packed.map((s) => new Story(this.data, s));
      Array.from(this.cells, (c) => c.codePointAt(0) - 32).forEach((story, platform) => {
        if (story) this.made[story - 1].platforms.push(platform);
      });
    }
    return this.made;
  }

  storyOf(platform) {
    return this.stories.find((s) => s.platforms.includes(platform));
  }

  /* Which of the results that have one verdict it is: "a", "b", ...; "" where there is only one. */
  variantOf(story) {
    const same = this.stories.filter((s) => s.told && s.verdict === story.verdict);
    return story.told && same.length > 1 ? String.fromCharCode(97 + (same.indexOf(story) % 26)) : "";
  }

  get diverges() {
    return this.verdicts.some((v) => DIVERGING.has(v));
  }

  get worst() {
    return GRAVITY.find((v) => this.verdicts.includes(v)) ?? "skip";
  }

  get haystack() {
    this.words ??= (this.id + " " + this.sentence + " " + this.clause + " " + this.note).toLowerCase();
    return this.words;
  }
}

function addScore(scores, key, verdict) {
  if (!verdict || NOT_TRIED.has(verdict)) return;
  const score = (scores[key] ??= { passed: 0, tried: 0 });
  score.tried++;
  if (verdict === "pass" || verdict === "fixed") score.passed++;
}

class Matrix {
  constructor(data) {
    this.levels = data.levels;
    this.topics = data.topics;
    this.platforms = data.platforms.map(([name, description, profile, cut], number) => ({
      name,
      description,
      profile,
      cut,
      number,
      scores: Object.create(null),
    }));
    this.behaviours = data.behaviours.map((b) => new Behaviour(data, b));
    this.present = new Set();
    for (const b of this.behaviours) {
      b.verdicts.forEach((verdict, platform) => {
        this.present.add(verdict ?? "absent");
        addScore(this.platforms[platform].scores, "all", verdict);
        addScore(this.platforms[platform].scores, b.level, verdict);
      });
    }
    this.verdicts = GRAVITY.filter((v) => this.present.has(v));
  }

  byId(id) {
    return this.behaviours.find((b) => b.id === id);
  }

  filtered({ q, topic, level, verdict, differ }) {
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    return this.behaviours.filter(
      (b) =>
        (!topic || b.topic === topic) &&
        (!level || b.level === level) &&
        (!differ || b.differs) &&
        (!verdict || (verdict === "diverges" ? b.diverges : b.verdicts.includes(verdict))) &&
        words.every((w) => b.haystack.includes(w)),
    );
  }

  /* [{name, behaviours, scores of each platform}], in order. */
  grouped(behaviours, by) {
    const order = by === "verdict" ? GRAVITY : this.topics;
    const groups = new Map();
    for (const b of behaviours) {
      const name = by === "verdict" ? b.worst : b.topic;
      if (!groups.has(name)) groups.set(name, { name, behaviours: [], scores: Object.create(null) });
      const group = groups.get(name);
      group.behaviours.push(b);
      b.verdicts.forEach((verdict, platform) => addScore(group.scores, platform, verdict));
    }
    return order.filter((name) => groups.has(name)).map((name) => groups.get(name));
  }
}
