import assert from "node:assert/strict";
import test from "node:test";
import { bytes, duration, list, percent, plural, rate, reasonOf } from "./words";

test("numbers are short, and never say zero of what is not", () => {
  assert.deepEqual([0, 0.001, 0.04, 0.25, 3.14159, 12.6, 100].map(percent), ["0%", "<0.01%", "0.04%", "0.3%", "3.1%", "13%", "100%"]);
  assert.deepEqual([0, 999, 1500, 20e3, 3.2e6].map(rate), ["0 B/s", "999 B/s", "1.5 kB/s", "20 kB/s", "3.2 MB/s"]);
  assert.deepEqual([0, 1023, 1536, 5 << 20].map(bytes), ["0 B", "1023 B", "1.5 KB", "5.0 MB"]);
});

test("durations have two units", () => {
  assert.deepEqual([0, 59, 61, 3600, 90061, -5, NaN].map(duration), ["0s", "59s", "1m 01s", "1h 00m", "1d 1h", "0s", ""]);
});

test("lists and counts are words", () => {
  assert.equal(list(["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
  assert.equal(plural(1, "process", "processes"), "1 process");
  assert.equal(plural(2, "instance"), "2 instances");
});

test("a reason does not repeat the name and the state that stand beside it", () => {
  assert.equal(reasonOf("web is FATAL: too many retries."), "Too many retries.");
  assert.equal(reasonOf("web is EXITED: was ended by a signal that svisord did not send. Run 1 of web (pid 7) was ended by the kernel: SIGSEGV. It lived 2 s."), "Was ended by the kernel: SIGSEGV. It lived 2 s.");
  assert.equal(reasonOf("can't find command"), "Can't find command");
});
