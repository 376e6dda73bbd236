"use strict";
/* What the page tells of one thing: as elements for the eye, as a sentence for a screen reader. */

function facts(pairs) {
  const list = element("dl");
  for (const [name, value] of pairs) {
    if (value) list.append(element("dt", {}, name), element("dd", {}, value));
  }
  return list;
}

function callLine(call, trace) {
  return call.text + " = " + resultText(call, trace.data);
}

function errorText(call, trace) {
  if (!call.failed) return "";
  const [name, text] = trace.data.errors[call.error];
  return (name ?? "errno " + call.error) + ", " + visible(text);
}

function ruleText(call, trace) {
  const rule = trace.rules[call.rule];
  return call.injected ? call.injected + (rule ? " by rule " + (call.rule + 1) + ": " + rule.text : "") : "";
}

function callerText(call) {
  const thread = call.tid !== call.pid ? ", thread " + call.tid : "";
  return (call.process ? processText(call.process) : "process " + call.pid) + thread;
}

function describeCall(call, trace) {
  return [
    element("p", { class: "line" }, kindIcon(call), element("code", {}, element("bdi", {}, callLine(call, trace)))),
    facts([
      ["Error", errorText(call, trace)],
      ["Fault", ruleText(call, trace)],
      [
        "At",
        momentText(call.start, 100) +
          ", " +
          (call.unseen ? "its return was not seen" : "took " + durationText(call.end - call.start)),
      ],
      ["By", callerText(call)],
      ["From", placeWhole(call.place)],
      ["Segment", call.segment ? segmentText(call.segment) : ""],
      ["Through", call.raw ? "syscall(2)" : ""],
    ]),
  ];
}

function describeCluster(cluster, trace) {
  const kinds = [...group(cluster.calls, (c) => c.name)].map(([name, calls]) => calls.length + " " + name);
  return [
    element(
      "p",
      { class: "line" },
      element("strong", {}, count(cluster.calls.length, "call")),
      " from " + momentText(cluster.from, 100) + " to " + momentText(cluster.to, 100),
    ),
    facts([
      ["Calls", kinds.join(", ")],
      [
        "Failed",
        cluster.failed
          ? [...new Set(cluster.calls.filter((c) => c.failed).map((c) => errorName(c.error, trace.data)))].join(", ") +
            " (" +
            cluster.failed +
            ")"
          : "",
      ],
      ["Injected", cluster.injected ? String(cluster.injected) : ""],
    ]),
    element("p", { class: "hint" }, "Press to look closer"),
  ];
}

function makerText(segment, trace) {
  const { maker } = segment;
  if (maker)
    return (
      maker.text + " at " + momentText(maker.start, 1000) + ", " + callerText(maker) + ", " + placeWhole(maker.place)
    );
  return segment.creator
    ? "by " + creatorText(segment, trace) + ", in a call that was not seen"
    : "by a process that was not seen";
}

function creatorText(segment, trace) {
  const process = trace.processes.findLast((p) => p.pid === segment.creator);
  return process ? processText(process) : "process " + segment.creator;
}

function endText(segment, trace) {
  if (segment.remover)
    return (
      "at " +
      momentText(segment.remover.start, 1000) +
      ", " +
      callerText(segment.remover) +
      ", " +
      placeWhole(segment.remover.place)
    );
  return segment.removedAt === NEVER
    ? trace.leaksKnown
      ? "never"
      : "not seen"
    : "at " + momentText(segment.removedAt, 1000);
}

function leftText(segment) {
  if (!segment.left) return "";
  const nattch = unsigned(segment.leftNattch);
  const attached = nattch ? "still attached " + count(nattch, "time") : "attached by nobody";
  return (segment.leftMarked ? "marked to be destroyed, kept by its attachments; " : "") + attached;
}

function describeSegment(segment, time, trace) {
  return [
    element("p", { class: "line" }, segmentChip(segment), element("strong", {}, "Segment " + segmentText(segment))),
    facts([
      ["Size", sizeText(segment.size) + ", mode " + modeText(segment.mode)],
      [
        "nattch",
        time === null ? "" : nattchAt(segment, time) + " at " + momentText(time, 1000) + ", at most " + segment.most,
      ],
      ["Made", makerText(segment, trace)],
      ["Removed", endText(segment, trace)],
      ["Left", leftText(segment)],
    ]),
  ];
}

function describeAttachment(attachment) {
  const { segment, process } = attachment;
  const how = [attachment.readOnly ? "read-only" : "read and write", attachment.inherited ? "inherited by fork" : null];
  return [
    element(
      "p",
      { class: "line" },
      segment ? segmentChip(segment) : null,
      element("strong", {}, "Attachment of " + (segment ? segmentText(segment) : "a segment not seen")),
    ),
    facts([
      ["In", process ? processText(process) : "a process not seen"],
      ["Address", hex(attachment.address)],
      ["How", how.filter(Boolean).join(", ")],
      [
        "From",
        momentText(attachment.from, 1000) +
          " to " +
          momentText(attachment.to, 1000) +
          " (" +
          durationText(attachment.to - attachment.from) +
          ")",
      ],
    ]),
  ];
}

/* For a screen reader, in one breath. */
function sayCall(call, trace) {
  return [
    callLine(call, trace),
    call.failed ? errorText(call, trace) : null,
    call.injected ? "injected" : null,
    callerText(call),
    call.place?.text,
    "at " + momentText(call.start, 1000),
  ]
    .filter(Boolean)
    .join(", ");
}
