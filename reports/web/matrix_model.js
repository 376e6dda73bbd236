"use strict";
/* The data of the page as objects, and what the filters leave of it. */

/* The gravest first: how a behaviour is grouped by the worst that a platform did. */
const GRAVITY = ["crash", "hang", "fail", "flaky", "fixed", "error", "known", "pass", "record", "skip"];
const DIVERGING = new Set(["fail", "crash", "hang", "flaky", "fixed"]);
const NOT_TRIED = new Set(["skip", "record"]);

/* What is told of stories: read once the first of them is opened, and not before the page is seen. */
class Told {
  /* read(): the data */
  constructor(read) {
    this.read = read;
  }

  get data() {
    this.kept ??= this.read();
    return this.kept;
  }

  of(behaviour, story) {
    return this.data.told[behaviour][story];
  }

  text(n) {
    return this.data.texts[n];
  }
}

class Story {
  constructor(behaviour, number, verdict, why, told) {
    this.behaviour = behaviour;
    this.number = number;
    this.verdict = verdict;
    this.why = why;
    this.told = told === 1;
    this.platforms = [];
  }

  part(i) {
    return this.behaviour.told.of(this.behaviour.number, this.number)[i];
  }

  get observations() {
    const text = (n) => this.behaviour.told.text(n);
    return this.part(0).map(([mark, what, seen, expected, step, by]) => ({
      mark,
      what: text(what),
      seen: text(seen),
      expected: text(expected),
      step,
      by: text(by),
    }));
  }

  get steps() {
    const text = (n) => this.behaviour.told.text(n);
    return this.part(1).map(([n, by, call, result]) => ({ n, by: text(by), call: text(call), result: text(result) }));
  }

  get before() {
    return this.part(2);
  }

  get after() {
    return this.part(3);
  }
}

class Behaviour {
  constructor(data, told, number) {
    const [id, topic, level, sentence, clause, note, known, differs, cells, stories] = data.behaviours[number];
    this.data = data;
    this.told = told;
    this.number = number;
    this.id = id;
    this.topic = data.topics[topic];
    this.level = data.levels[level];
    this.sentence = sentence;
    this.clause = data.texts[clause];
    this.note = data.texts[note];
    this.known = data.texts[known];
    this.differs = differs;
    this.cells = cells;
    this.packed = stories;
    /* The verdict of each story. */
    this.verdicts = stories.map(([verdict]) => data.verdicts[verdict]);
  }

  /* The place of the platform's story among them; -1: it has none. */
  placeOf(platform) {
    return this.cells.charCodeAt(platform) - 33;
  }

  verdictOf(platform) {
    return this.verdicts[this.placeOf(platform)] ?? null;
  }

  /* Made when it is asked for: most are never opened. */
  get stories() {
    if (!this.made) {
      this.made = this.packed.map(
        ([, why, told], i) => new Story(this, i, this.verdicts[i], this.data.texts[why], told),
      );
      for (let p = 0; p < this.cells.length; p++) this.storyOf(p)?.platforms.push(p);
    }
    return this.made;
  }

  storyOf(platform) {
    return this.stories[this.placeOf(platform)];
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

/* {passed, tried} of each platform; null where nothing was tried. */
function scoresOf(behaviours, platforms) {
  const scores = platforms.map(() => ({ passed: 0, tried: 0 }));
  for (const b of behaviours) {
    const tried = b.verdicts.map((v) => !NOT_TRIED.has(v));
    const passed = b.verdicts.map((v) => v === "pass" || v === "fixed");
    for (let p = 0; p < scores.length; p++) {
      const at = b.placeOf(p);
      if (tried[at]) scores[p].tried++;
      if (passed[at]) scores[p].passed++;
    }
  }
  return scores.map((s) => (s.tried ? s : null));
}

/* Behaviours that stand together. */
class Group {
  constructor(name, platforms) {
    this.name = name;
    this.platforms = platforms;
    this.behaviours = [];
  }

  /* Counted once it is in sight. */
  get scores() {
    this.counted ??= scoresOf(this.behaviours, this.platforms);
    return this.counted;
  }
}

class Matrix {
  constructor(data, told) {
    this.levels = data.levels;
    this.topics = data.topics;
    this.platforms = data.platforms.map(([name, description, profile, cut], number) => ({
      name,
      description,
      profile,
      cut,
      number,
    }));
    this.behaviours = data.behaviours.map((_, i) => new Behaviour(data, told, i));
    this.present = new Set(this.behaviours.flatMap((b) => b.verdicts));
    this.verdicts = GRAVITY.filter((v) => this.present.has(v));
    if (this.behaviours.some((b) => b.cells.includes(" "))) this.present.add("absent");
  }

  /* Of each platform, over all behaviours or those of a level. */
  scores(level) {
    return scoresOf(
      level ? this.behaviours.filter((b) => b.level === level) : this.behaviours,
      this.platforms,
    );
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

  /* Groups, in order. */
  grouped(behaviours, by) {
    const order = by === "verdict" ? GRAVITY : this.topics;
    const groups = new Map();
    for (const b of behaviours) {
      const name = by === "verdict" ? b.worst : b.topic;
      if (!groups.has(name)) groups.set(name, new Group(name, this.platforms));
      groups.get(name).behaviours.push(b);
    }
    return order.filter((name) => groups.has(name)).map((name) => groups.get(name));
  }
}
