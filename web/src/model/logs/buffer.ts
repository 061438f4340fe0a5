// The lines of a view, in the order in which they arrived: at most so many, and so many characters. Beside them those that the
// search finds, kept line by line, so that a new line costs the same however many there are.
import { shownOf } from "./ansi";
import type { Span } from "./ansi";
import { isMatch } from "./search";
import type { Matcher } from "./search";
import type { RawLine } from "./splitter";

export const LINES_MAX = 20_000;
export const CHARS_MAX = 16 << 20;
const SLACK = 1.1; // cut off in larger pieces, not line by line

export interface Line {
  serial: number;
  source: string; // key
  at: number; // milliseconds of Date.now(), when it came
  text: string;
  spans: Span[];
  cut: number; // characters that were left out
  isNote: boolean; // ours: what happened to the log
  isFound: boolean; // by the search
}

// In characters: a change of colour takes as much memory as some of them, and a hostile line has thousands.
function costOf(line: Line): number {
  return line.text.length + 64 * line.spans.length;
}

export class LogBuffer {
  lines: Line[] = [];
  found: Line[] = []; // those with isFound, in order
  private matcher: Matcher = null;
  private serial = 0;
  private chars = 0;
  private readonly last = new Map<string, Line>(); // of each source
  // While somebody reads what is old, twice as many lines stay.
  isHeld = false;

  constructor(private readonly changed: () => void = () => undefined) {}

  private put(source: string, at: number, text: string, spans: Span[], cut: number, isNote: boolean): Line {
    const line = { serial: ++this.serial, source, at, text, spans, cut, isNote, isFound: false };
    this.lines.push(line);
    this.chars += costOf(line);
    this.judge(line);
    return line;
  }

  private judge(line: Line): void {
    const was = line.isFound;
    line.isFound = this.matcher !== null && isMatch(this.matcher, line.text);
    if (line.isFound === was) return;
    if (line.isFound && line === this.lines[this.lines.length - 1]) this.found.push(line);
    else this.found = this.lines.filter((one) => one.isFound); // an older line has more of it now: seldom
  }

  add(source: string, raw: RawLine[], at: number): void {
    for (const one of raw) {
      const { text, spans } = shownOf(one.text);
      const last = one.isMore ? this.last.get(source) : undefined;
      if (!last || last.serial < (this.lines[0]?.serial ?? Infinity)) this.last.set(source, this.put(source, at, text, spans, one.cut, false));
      else {
        this.chars -= costOf(last);
        Object.assign(last, { text, spans, cut: one.cut });
        this.chars += costOf(last);
        this.judge(last);
      }
    }
    this.trim();
    if (raw.length) this.changed();
  }

  // What happened to the log, among its lines.
  note(source: string, text: string, at: number): void {
    this.put(source, at, text, [], 0, true);
    this.trim();
    this.changed();
  }

  private trim(): void {
    const most = LINES_MAX * (this.isHeld ? 2 : 1);
    if (this.lines.length <= most * SLACK && this.chars <= CHARS_MAX) return;
    let first = Math.max(0, this.lines.length - most);
    let chars = this.chars - this.lines.slice(0, first).reduce((sum, one) => sum + costOf(one), 0);
    while (chars > CHARS_MAX / SLACK && first < this.lines.length - 1) chars -= costOf(this.lines[first++]!);
    this.lines = this.lines.slice(first);
    this.chars = chars;
    const oldest = this.lines[0]?.serial ?? 0;
    const kept = this.found.findIndex((one) => one.serial >= oldest);
    this.found = kept < 0 ? [] : this.found.slice(kept);
  }

  search(matcher: Matcher): void {
    this.matcher = matcher;
    for (const one of this.lines) one.isFound = matcher !== null && isMatch(matcher, one.text);
    this.found = this.lines.filter((one) => one.isFound);
    this.changed();
  }

  clear(): void {
    this.lines = [];
    this.found = [];
    this.chars = 0;
    this.last.clear();
    this.changed();
  }

  drop(source: string): void {
    this.lines = this.lines.filter((one) => one.source !== source);
    this.found = this.found.filter((one) => one.source !== source);
    this.chars = this.lines.reduce((sum, one) => sum + costOf(one), 0);
    this.last.delete(source);
    this.changed();
  }
}

// The place of a line in an array of lines, or of the first one behind it.
export function placeOf(lines: Line[], serial: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.serial < serial) low = middle + 1;
    else high = middle;
  }
  return low;
}
