// Tests of how logs are followed, put together, shown and searched.
import assert from "node:assert/strict";
import test from "node:test";
import { shownOf } from "./ansi";
import { CHARS_MAX, LINES_MAX, LogBuffer, placeOf } from "./buffer";
import { ERROR_PAUSE_MS, Follower, PAUSE_MAX_MS, PAUSE_MIN_MS } from "./follower";
import type { LogPiece } from "./follower";
import { compile, piecesOf, rangesOf } from "./search";
import { formatFollow, labelsOf, parseFollow, sourceKey, withoutGroups } from "./source";
import { LINE_CHARS_MAX, Splitter } from "./splitter";

const bytes = (...parts: (string | number[])[]) => new Uint8Array(parts.flatMap((one) => (typeof one === "string" ? [...new TextEncoder().encode(one)] : one)));
const texts = (buffer: LogBuffer) => buffer.lines.map((one) => (one.isNote ? `(${one.text})` : one.text));

test("sources are words of the address, whatever their names", () => {
  const words = "10.0.0.1:9001/shop:web/stdout,10.0.0.1:9001/shop:web/stderr,n2";
  assert.equal(formatFollow(parseFollow(words)), words);
  assert.deepEqual(parseFollow("n1/web"), [{ instance: "n1", namespec: "web", channel: "stdout" }]);
  const odd = { instance: "a,b", namespec: "x/y%:z", channel: "stderr" as const };
  assert.deepEqual(parseFollow(formatFollow([odd, odd])), [odd]);
  assert.deepEqual(parseFollow("n1/web/both,,/x,n1/a/stdout/b"), []);
});

test("names of sources say the instance only where there are several", () => {
  const label = (text: string) => [...labelsOf(parseFollow(text), (one) => one.toUpperCase()).values()];
  assert.deepEqual(label("a/web/stdout,a/web/stderr,a"), ["web", "web err", "svisord"]);
  assert.deepEqual(label("a/web/stdout,b/web/stdout"), ["web A", "web B"]);
  const short = (text: string) => [...withoutGroups(labelsOf(parseFollow(text), (one) => one)).values()];
  assert.deepEqual(short("a/shop%3Aweb/stdout,b/office%3Aweb/stdout"), ["web a", "web b"]);
  assert.deepEqual(short("a/shop%3Aweb/stdout,a/office%3Aweb/stdout"), ["shop:web", "office:web"]); // no more alike
});

test("characters and lines that come in pieces are put together", () => {
  const splitter = new Splitter();
  const read = (...parts: (string | number[])[]) => splitter.add(bytes(...parts)).map((one) => one.text);
  assert.deepEqual(read("one\r\ntw"), ["one"]);
  assert.deepEqual(read("o\n\nth", [0xe2, 0x82]), ["two", ""]);
  assert.deepEqual(read([0xac], "\n"), ["th€"]);
  assert.deepEqual(read([0xff, 0xc3], "x\n"), ["\ufffd\ufffdx"]);
});

test("an unfinished line is given once, and again when there is more of it", () => {
  const splitter = new Splitter();
  splitter.add(bytes("Name: "));
  assert.deepEqual(splitter.rest(), { text: "Name: ", cut: 0, isMore: false });
  assert.equal(splitter.rest(), null);
  assert.deepEqual(splitter.add(bytes("x\n")), [{ text: "Name: x", cut: 0, isMore: true }]);
  assert.deepEqual(splitter.add(bytes("y\n")), [{ text: "y", cut: 0, isMore: false }]);
});

test("a line without end takes no memory without end", () => {
  const splitter = new Splitter();
  for (let i = 0; i < 20; i++) assert.deepEqual(splitter.add(bytes("x".repeat(10_000))), []);
  const [line] = splitter.add(bytes("\n"));
  assert.equal(line!.text.length, LINE_CHARS_MAX);
  assert.equal(line!.cut, 200_000 - LINE_CHARS_MAX);
});

test("colours become classes, and other sequences nothing", () => {
  const shown = shownOf("\u001b[1;31mbad\u001b[0m \u001b]0;title\u0007x\u001b[2K\u001b[38;5;46mgreen\u001b[38;2;0;0;255mblue\u001b[39;41m!");
  assert.equal(shown.text, "bad xgreenblue!");
  assert.deepEqual(shown.spans.map((one) => `${shown.text.slice(one.start, one.end)}: ${one.class}`), [
    "bad: ansi-bold ansi-fg ansi-1", "green: ansi-fg ansi-2", "blue: ansi-fg ansi-4", "!: ansi-bg ansi-1",
  ]);
});

test("what would hide or turn text around is seen", () => {
  assert.equal(shownOf("a\u202egpj.exe\u0000\u001b").text, "a‹U+202E›gpj.exe^@^[");
  assert.equal(shownOf("evil\rgood").text, "evil^Mgood");
  assert.equal(shownOf("tab\there").text, "tab\there");
  assert.deepEqual(shownOf("<script>alert(1)</script>"), { text: "<script>alert(1)</script>", spans: [] });
});

test("a sequence that does not end costs no more than its length", () => {
  const long = "\u001b]".repeat(20_000) + "\u001b[".repeat(20_000);
  const began = Date.now();
  shownOf(long);
  assert.ok(Date.now() - began < 1000);
});

test("searching finds plain text, expressions, and says what is no expression", () => {
  const ranges = (text: string, isExpression: boolean, isCaseSensitive: boolean, line: string) =>
    rangesOf(compile({ text, isExpression, isCaseSensitive }).matcher, line);
  assert.deepEqual(ranges("a.b", false, false, "axb A.B"), [[4, 7]]);
  assert.deepEqual(ranges("a.b", true, false, "axb A.B"), [[0, 3], [4, 7]]);
  assert.deepEqual(ranges("A.b", true, true, "axb Axb"), [[4, 7]]);
  assert.deepEqual(ranges("x*", true, false, "axxa"), [[1, 3]]);
  assert.equal(compile({ text: "(", isExpression: true, isCaseSensitive: false }).error, "Not a regular expression: Unterminated group");
});

test("what is found is cut out of the colours", () => {
  const pieces = piecesOf("one two", [{ start: 0, end: 5, class: "red" }], [[4, 7]]);
  assert.deepEqual(pieces, [
    { text: "one ", class: "red", isFound: false }, { text: "t", class: "red", isFound: true }, { text: "wo", class: "", isFound: true },
  ]);
});

test("a buffer keeps the newest lines, and the found ones with them", () => {
  const buffer = new LogBuffer();
  buffer.search(compile({ text: "7", isExpression: false, isCaseSensitive: false }).matcher);
  for (let i = 0; i < 3 * LINES_MAX; i += 1000)
    buffer.add("a", Array.from({ length: 1000 }, (_, j) => ({ text: `${i + j}`, cut: 0, isMore: false })), 0);
  assert.ok(buffer.lines.length >= LINES_MAX && buffer.lines.length <= LINES_MAX * 1.1 + 1000);
  assert.equal(buffer.lines.at(-1)!.text, `${3 * LINES_MAX - 1}`);
  assert.deepEqual(buffer.found, buffer.lines.filter((one) => one.text.includes("7")));
  assert.equal(buffer.lines[placeOf(buffer.lines, buffer.lines[5]!.serial)], buffer.lines[5]);
});

test("a buffer of very long lines keeps few of them", () => {
  const buffer = new LogBuffer();
  const long = "x".repeat(LINE_CHARS_MAX);
  for (let i = 0; i < 1000; i++) buffer.add("a", [{ text: long, cut: 0, isMore: false }], 0);
  assert.ok(buffer.lines.length * LINE_CHARS_MAX <= CHARS_MAX);
});

test("a buffer of lines that change their colour at each letter keeps few of them", () => {
  const buffer = new LogBuffer();
  const text = "\u001b[31ma\u001b[32mb".repeat(5000);
  for (let i = 0; i < 200; i++) buffer.add("a", [{ text, cut: 0, isMore: false }], 0);
  assert.ok(buffer.lines.reduce((sum, one) => sum + one.spans.length, 0) * 64 <= CHARS_MAX);
});

test("a line that goes on after its beginning was cut off is a new line", () => {
  const buffer = new LogBuffer();
  buffer.add("slow", [{ text: "wait", cut: 0, isMore: false }], 0);
  buffer.add("quick", Array.from({ length: 2 * LINES_MAX }, (_, index) => ({ text: `${index}`, cut: 0, isMore: false })), 0);
  buffer.add("slow", [{ text: "wait… done", cut: 0, isMore: true }], 0);
  assert.equal(buffer.lines.at(-1)!.text, "wait… done");
});

test("a line that goes on is the same line", () => {
  const buffer = new LogBuffer();
  buffer.add("a", [{ text: "Name: ", cut: 0, isMore: false }], 0);
  buffer.add("b", [{ text: "between", cut: 0, isMore: false }], 0);
  buffer.search(compile({ text: "ann", isExpression: false, isCaseSensitive: false }).matcher);
  buffer.add("a", [{ text: "Name: Ann", cut: 0, isMore: true }], 0);
  assert.deepEqual(texts(buffer), ["Name: Ann", "between"]);
  assert.deepEqual(buffer.found.map((one) => one.text), ["Name: Ann"]);
});

// A follower whose answers, errors and clock the test holds.
function following() {
  const buffer = new LogBuffer();
  const asked: { cursor: string; answer: (piece: Partial<LogPiece>) => Promise<void>; fail: (error: Error) => Promise<void> }[] = [];
  const timers: { pause: number; done: () => void }[] = [];
  const settle = () => new Promise<void>((done) => setTimeout(done, 0));
  const follower = new Follower("a", buffer, {
    ask: (cursor) =>
      new Promise((resolve, reject) => {
        asked.push({
          cursor,
          answer: (piece) => (resolve({ base64: "", cursor: `${cursor}+`, behind: 0, is_gap: false, ...piece }), settle()),
          fail: (error) => (reject(error), settle()),
        });
      }),
    now: () => 0,
    after: (pause, done) => {
      const timer = { pause, done };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    changed: () => undefined,
    errorOf: (error) => ({ text: (error as Error).message, isNoLog: false }),
  });
  const next = () => timers.shift()!.done();
  return { buffer, asked, timers, follower, next };
}
const said = (text: string) => ({ base64: btoa(text) });

test("a log is followed quickly while it grows, slowly when it does not, from where it was read", async () => {
  const { buffer, asked, timers, follower, next } = following();
  follower.start();
  await asked[0]!.answer({ ...said("one\n"), cursor: "c1" });
  assert.equal(timers[0]!.pause, PAUSE_MIN_MS);
  next();
  assert.equal(asked[1]!.cursor, "c1");
  await asked[1]!.answer({ ...said("two\n"), cursor: "c2", behind: 9 });
  assert.equal(timers[0]!.pause, 0);
  for (let i = 2; i < 12; i++) {
    next();
    await asked[i]!.answer({});
  }
  assert.equal(timers[0]!.pause, PAUSE_MAX_MS);
  assert.deepEqual(texts(buffer), ["one", "two"]);
});

test("a request is never made while another one is under way, and none after stop", async () => {
  const { buffer, asked, timers, follower } = following();
  follower.start();
  follower.stop();
  follower.start();
  follower.retry();
  assert.equal(asked.length, 1);
  follower.stop();
  await asked[0]!.answer({ ...said("late\n"), cursor: "c1" });
  assert.equal(timers.length, 0);
  assert.deepEqual(texts(buffer), []);
  follower.start();
  assert.equal(asked[1]!.cursor, ""); // what came while nobody listened is asked again
});

test("an error is told and tried again from the same place", async () => {
  const { asked, timers, follower, next } = following();
  follower.start();
  await asked[0]!.answer({ ...said("x"), cursor: "c1" });
  next();
  await asked[1]!.fail(new Error("node 2 is not heard"));
  assert.equal(`${follower.state}: ${follower.words}`, "failed: node 2 is not heard");
  assert.equal(timers[0]!.pause, ERROR_PAUSE_MS);
  follower.retry();
  assert.equal(asked[2]!.cursor, "c1");
  assert.equal(timers.length, 0);
});

test("an emptied log, and one that grows too fast, are told among the lines", async () => {
  const { buffer, asked, follower, next } = following();
  follower.start();
  await asked[0]!.answer({ ...said("old\nhalf"), cursor: "c1" });
  next();
  await asked[1]!.answer({ ...said("new\n"), is_gap: true, cursor: "c2" });
  next();
  await asked[2]!.answer({ ...said("much\n"), cursor: "c3", behind: 100 << 20 });
  next();
  assert.equal(asked[3]!.cursor, "");
  assert.deepEqual(texts(buffer), [
    "old", "half", "(What came before is not there any more, as the log was emptied or its older files are gone: this is the new one, from its start.)", "new", "much",
    "(More was written than can be shown: 100 MB are left out here.)",
  ]);
});

test("the key of a source is what the address has", () => {
  for (const one of parseFollow("a/web/stderr,b")) assert.deepEqual(parseFollow(sourceKey(one)), [one]);
});
