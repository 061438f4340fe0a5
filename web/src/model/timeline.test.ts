// Tests of the timeline as it is looked at.
import assert from "node:assert/strict";
import test from "node:test";
import { byDay, density, select, subjectOf, ticks } from "./timeline";
import type { TimelineEntry } from "./types";

const NOON = new Date(2026, 5, 1, 12, 0, 0).getTime() / 1000;
const entry = (serial: number, at: number, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
  serial, at, level: "info", kind: "process", identifier: "a", application_name: "shop", process_name: "web", text: "runs", ...more,
});
const nick = (identifier: string) => `node ${identifier}`;
const TIMELINE = [
  entry(1, NOON, { kind: "cluster", application_name: "", process_name: "", text: "the cluster is in OPERATION" }),
  entry(2, NOON + 1),
  entry(3, NOON + 2, { level: "error", kind: "death", identifier: "b", text: "ended by itself with exit code 3" }),
  entry(4, NOON + 3, { level: "warning", kind: "resource", process_name: "api", text: "ran short of memory" }),
];
const serials = (filter: object, most?: number) => select(TIMELINE, filter, nick, most).map((one) => one.serial);

test("records are found by what they are about, the newest first", () => {
  assert.deepEqual(serials({}), [4, 3, 2, 1]);
  assert.deepEqual(serials({}, 2), [4, 3]);
  assert.deepEqual(serials({ level: "warning" }), [4, 3]);
  assert.deepEqual(serials({ kind: "death" }), [3]);
  assert.deepEqual(serials({ process: "shop:web" }), [3, 2]);
  assert.deepEqual(serials({ application: "shop", instance: "a" }), [4, 2]);
  assert.deepEqual(serials({ text: "node b EXIT" }), [3]);
  assert.deepEqual(serials({ from: NOON + 1, to: NOON + 2 }), [3, 2]);
});

test("a record is about a process, an application, or neither", () => {
  assert.equal(subjectOf(TIMELINE[0]!), "");
  assert.equal(subjectOf(TIMELINE[1]!), "shop:web");
  assert.equal(subjectOf(entry(9, 0, { process_name: "" })), "shop");
  assert.equal(subjectOf(entry(9, 0, { application_name: "web" })), "web");
});

test("records stand under their day and minute", () => {
  const list = [entry(4, NOON + 86400), entry(3, NOON + 61), entry(2, NOON + 59), entry(1, NOON)];
  const shape = byDay(list).map((day) => day.minutes.map((minute) => minute.rows.map((one) => one.entry.serial)));
  assert.deepEqual(shape, [[[4]], [[3], [2]]]);
});

test("what happens again and again in a minute is one row, whatever the numbers", () => {
  const loop = [1, 2, 3, 4].map((one) => entry(one, NOON + one, { text: `runs, pid ${1000 * one}` }));
  const list = [entry(9, NOON + 70, { text: "runs, pid 7" }), entry(8, NOON + 9, { text: "ended" }), ...loop.reverse()];
  const rows = byDay(list)[0]!.minutes.flatMap((minute) => minute.rows.map((one) => [one.entry.serial, one.count, one.first - NOON]));
  assert.deepEqual(rows, [[9, 1, 70], [8, 1, 9], [4, 4, 1]]);
});

test("the parts of the density count what is in them, also at both ends", () => {
  const list = [entry(1, 0), entry(2, 5, { level: "error" }), entry(3, 9.9), entry(4, 10), entry(5, 11)];
  assert.deepEqual(density(list, 0, 10, 2), [{ info: 1, warning: 0, error: 0 }, { info: 2, warning: 0, error: 1 }]);
});

test("the axis has round times of the clock on the wall", () => {
  assert.deepEqual(ticks(10, 100, 4, 0), [30, 60, 90]);
  assert.deepEqual(ticks(0, 7200, 3, 1800), [1800, 5400]);
});
