"use strict";
/* The trace as the page uses it: the data's arrays as objects that know each other. */

const KINDS = Object.keys(SHAPES);
const NEVER = Infinity;
const MOST_BARS = 8; /* attachments side by side in a process's lane; further ones share the last place */

function entries(list, make) {
  return list.map((values, index) => {
    const entry = make(...values);
    entry.index = index;
    return entry;
  });
}

function group(list, keyOf) {
  const groups = new Map();
  for (const item of list) {
    const key = keyOf(item);
    const members = groups.get(key);
    if (members) members.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/* How many of the list, which is sorted by the member, do not come after the time. */
function countUntil(list, member, time) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle][member] <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The last of those with one number that had begun: numbers are given again. */
function lastBegun(list, beginning, time) {
  return list ? list[Math.max(countUntil(list, beginning, time) - 1, 0)] : null;
}

function groupInOrder(list, keyOf, beginning) {
  const groups = group(list, keyOf);
  for (const members of groups.values()) members.sort((a, b) => a[beginning] - b[beginning]);
  return groups;
}

function readTrace(data) {
  const trace = { data, end: Math.max(Number(data.end), 1), leaksKnown: data.leaksKnown };
  trace.rules = entries(data.rules, (text, matched, fired) => ({ text: visible(text), matched, fired }));
  trace.places = entries(data.places, (text, functionName, file, line, module, offset) => ({
    text: visible(text),
    function: visible(functionName),
    file: visible(file),
    line,
    module: visible(module),
    offset,
  }));
  trace.processes = entries(data.processes, (pid, parent, name, from, to, killed) => ({
    pid,
    parent,
    name: visible(name),
    from,
    to: to ?? trace.end,
    seenEnding: to !== null,
    killed,
    calls: [],
    attachments: [],
  }));
  trace.segments = entries(
    data.segments,
    (shmid, key, size, mode, madeBy, removedBy, madeAt, removedAt, left, leftNattch, leftMarked, creator) => ({
      shmid,
      key,
      size,
      mode,
      madeBy,
      removedBy,
      madeAt,
      removedAt: removedAt ?? NEVER,
      left,
      leftNattch,
      leftMarked,
      creator,
      calls: [],
      attachments: [],
    }),
  );
  trace.attachments = entries(data.attachments, (segment, process, address, readOnly, inherited, from, to) => ({
    segment,
    process,
    address,
    readOnly,
    inherited,
    from,
    to,
  }));
  trace.calls = entries(
    data.calls,
    (start, duration, pid, tid, mark, subject, text, result, error, site, raw, rule, injected) => {
      const unseen = result === null; /* how it returned */
      const from = Number(start);
      return {
        start: from,
        end: from + Number(duration),
        pid,
        tid,
        kind: KINDS[mark],
        name: text.slice(0, text.indexOf("(")),
        subject,
        text,
        result,
        error,
        unseen,
        failed: !unseen && error !== 0,
        place: trace.places[site] ?? null,
        raw,
        rule,
        injected: injected === null ? "" : injected.toLowerCase(),
        process: null,
        segment: null,
        haystack: null,
      };
    },
  );
  trace.attachments.forEach((a) => readAttachment(a, trace));
  linkCalls(trace);
  trace.segments.forEach((s) => measureSegment(s, trace));
  trace.processes.forEach((p) => placeBars(p.attachments));
  return trace;
}

function readAttachment(attachment, trace) {
  attachment.segment = trace.segments[attachment.segment] ?? null;
  attachment.process = trace.processes[attachment.process] ?? null;
  attachment.to ??= attachment.process?.to ?? trace.end;
  attachment.segment?.attachments.push(attachment);
  attachment.process?.attachments.push(attachment);
}

/* ---- calls ---- */

function linkCalls(trace) {
  const processes = groupInOrder(trace.processes, (p) => p.pid, "from");
  const segments = groupInOrder(trace.segments, (s) => s.shmid, "madeAt");
  const attachments = groupInOrder(trace.attachments, (a) => a.process?.pid + " " + a.address, "from");
  const makers = new Map(trace.segments.map((s) => [s.madeBy, s]));
  const removers = new Map(trace.segments.map((s) => [s.removedBy, s]));
  for (const call of trace.calls) {
    call.process = lastBegun(processes.get(call.pid), "from", call.start);
    call.segment = makers.get(call.index) ?? removers.get(call.index) ?? segmentOf(call, segments, attachments);
    if (call.kind === "create" && !call.failed && !call.unseen && !makers.has(call.index)) call.kind = "find";
    call.process?.calls.push(call);
    call.segment?.calls.push(call);
  }
}

function segmentOf(call, segments, attachments) {
  switch (call.name) {
    case "shmget":
      return call.failed ? null : lastBegun(segments.get(Number(call.result)), "madeAt", call.end);
    case "shmat":
    case "shmctl":
      return lastBegun(segments.get(call.subject), "madeAt", call.end);
    case "shmdt":
      return lastBegun(attachments.get(call.pid + " " + call.subject), "from", call.end)?.segment ?? null;
    default:
      return null;
  }
}

/* ---- what is drawn of segments and processes ---- */

/* When it was attached how often, and until when it was there. */
function measureSegment(segment, trace) {
  const changes = segment.attachments
    .flatMap((a) => [
      [a.from, 1],
      [a.to, -1],
    ])
    .sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let nattch = 0;
  segment.steps = [];
  segment.most = 0;
  for (const [time, change] of changes) {
    nattch += change;
    segment.most = Math.max(segment.most, nattch);
    if (segment.steps.at(-1)?.time === time) segment.steps.at(-1).nattch = nattch;
    else segment.steps.push({ time, nattch });
  }
  const lastUse = changes.length ? changes.at(-1)[0] : segment.removedAt;
  segment.goneAt = segment.left || segment.removedAt === NEVER ? trace.end : Math.max(segment.removedAt, lastUse);
  segment.maker = trace.calls[segment.madeBy] ?? null;
  segment.remover = trace.calls[segment.removedBy] ?? null;
}

/* nattch of a segment at a moment, as far as it was traced. */
function nattchAt(segment, time) {
  let nattch = 0;
  for (const step of segment.steps) {
    if (step.time > time) break;
    nattch = step.nattch;
  }
  return nattch;
}

function placeBars(attachments) {
  const ends = [];
  attachments.sort((a, b) => a.from - b.from);
  for (const attachment of attachments) {
    let place = ends.findIndex((end) => end <= attachment.from);
    if (place === -1) place = Math.min(ends.length, MOST_BARS - 1);
    ends[place] = Math.max(ends[place] ?? 0, attachment.to);
    attachment.bar = place;
  }
}

/* Processes with their children below them, each with its depth. */
function processTree(processes) {
  const byParent = group(processes, (p) => p.parent);
  const pids = new Set(processes.map((p) => p.pid));
  const roots = processes.filter((p) => !pids.has(p.parent) || p.parent === p.pid);
  const ordered = [];
  const seen = new Set();
  /* Those whose parents go round in a circle have no root: they come last. */
  const waiting = [...roots, ...processes].map((process) => ({ process, depth: 0 })).reverse();
  while (waiting.length) {
    const { process, depth } = waiting.pop();
    if (seen.has(process)) continue;
    seen.add(process);
    ordered.push({ process, depth });
    for (const child of (byParent.get(process.pid) ?? []).toReversed())
      waiting.push({ process: child, depth: depth + 1 });
  }
  return ordered;
}
