// What is looked for in lines.
export interface Query {
  text: string;
  isExpression: boolean;
  isCaseSensitive: boolean;
}

export type Matcher = RegExp | null; // null: everything, and nothing is marked

const RANGES_MAX = 200;

// The expression, or why it is none.
export function compile(query: Query): { matcher: Matcher; error: string } {
  if (!query.text) return { matcher: null, error: "" };
  const source = query.isExpression ? query.text : query.text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  try {
    return { matcher: new RegExp(source, query.isCaseSensitive ? "g" : "gi"), error: "" };
  } catch (error) {
    const words = error instanceof Error ? error.message.replace(/^.*: (?=[^:]*$)/, "") : String(error);
    return { matcher: null, error: `Not a regular expression: ${words}` };
  }
}

export function isMatch(matcher: Matcher, text: string): boolean {
  if (!matcher) return true;
  matcher.lastIndex = 0;
  return matcher.test(text);
}

// Where it is found in a text: [start, end] one after the other.
export function rangesOf(matcher: Matcher, text: string): [number, number][] {
  if (!matcher) return [];
  const ranges: [number, number][] = [];
  matcher.lastIndex = 0;
  for (let found = matcher.exec(text); found && ranges.length < RANGES_MAX; found = matcher.exec(text)) {
    const end = found.index + found[0].length;
    if (found[0]) ranges.push([found.index, end]);
    else matcher.lastIndex = end + 1;
  }
  return ranges;
}

export interface Piece {
  text: string;
  class: string; // of the terminal's colours; "": plain
  isFound: boolean;
}

// A text cut where its colours or what was found in it begin and end.
export function piecesOf(text: string, spans: { start: number; end: number; class: string }[], ranges: [number, number][]): Piece[] {
  const cuts = new Set([0, text.length]);
  for (const one of spans) {
    if (one.start >= text.length) break; // of the rest of the line, which is not shown
    cuts.add(one.start).add(Math.min(one.end, text.length));
  }
  for (const [start, end] of ranges) cuts.add(start).add(end);
  const places = [...cuts].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  let span = 0;
  let range = 0;
  for (let i = 0; i + 1 < places.length; i++) {
    const start = places[i]!;
    while (span < spans.length && spans[span]!.end <= start) span++;
    while (range < ranges.length && ranges[range]![1] <= start) range++;
    const style = spans[span];
    const found = ranges[range];
    pieces.push({
      text: text.slice(start, places[i + 1]),
      class: style && style.start <= start ? style.class : "",
      isFound: found !== undefined && found[0] <= start,
    });
  }
  return pieces;
}
