"use strict";
/* Text from anywhere, made fit to be shown. */

/* Characters that are not seen, or turn the text around them round, are shown by their number. */
const UNSEEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f" +
    "\\u2028-\\u202f\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}]",
  "gu",
);

function visible(text) {
  return text.replace(UNSEEN, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

function cut(text, length) {
  return text.length > length ? text.slice(0, length - 1) + "\u2026" : text;
}

/* 1,234,567. What a browser has for it costs more, the first time, than all else of a page. */
function figure(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

function count(n, singular, plural = singular + "s") {
  return figure(n) + " " + (Number(n) === 1 ? singular : plural);
}
