// Lines of logs in a box that scrolls by itself: any number of them, only those in sight exist. While it follows, the newest line is
// at the bottom; whoever scrolls up stays where he is, also when old lines go.
//
// Rows are as high as their text needs. What is not in sight counts with an estimate, which is exact for plain text since all
// characters are equally wide; what has been in sight counts as it was measured.
import { Component } from "preact";
import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { placeOf } from "../model/logs/buffer";
import type { Line } from "../model/logs/buffer";
import { piecesOf, rangesOf } from "../model/logs/search";
import type { Matcher } from "../model/logs/search";
import { clock, plural } from "../model/words";

const ROW_PIXELS = 20; // as .log-row has it
const OVERSCAN_PIXELS = 240;
const TEXT_MAX = 1500; // of a line, until it is asked for
const BOTTOM_PIXELS = 12;

export interface LogView {
  labels: Map<string, string>; // of sources
  colourOf: (source: string) => number;
  matcher: Matcher;
  current: number; // serial of the match that was gone to
  isWrapped: boolean;
  hasTimes: boolean;
}

// How many characters fit beside the name.
interface Grid {
  columns: number;
}

function textOf(line: Line, isWhole: boolean): string {
  return isWhole ? line.text : line.text.slice(0, TEXT_MAX);
}

function estimate(line: Line, grid: Grid): number {
  const length = Math.min(line.text.length, TEXT_MAX) + (line.text.length > TEXT_MAX || line.cut ? 30 : 0);
  return ROW_PIXELS * Math.max(1, Math.ceil(length / grid.columns));
}

// The tops of all lines, and behind the last one the height of all.
function layout(lines: Line[], isWrapped: boolean, grid: Grid, measured: Map<number, number>): Float64Array {
  const tops = new Float64Array(lines.length + 1);
  for (let i = 0, top = 0; i < lines.length; ) {
    const line = lines[i]!;
    top += measured.get(line.serial) ?? (isWrapped ? estimate(line, grid) : ROW_PIXELS);
    tops[++i] = top;
  }
  return tops;
}

// The last line that begins at or above this place.
function lineAt(tops: Float64Array, place: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (tops[middle]! <= place) low = middle;
    else high = middle;
  }
  return low;
}

function time(at: number): string {
  return `${clock(at / 1000)}.${String(at % 1000).padStart(3, "0")}`;
}

interface RowProperties extends Pick<LogView, "labels" | "colourOf" | "matcher" | "hasTimes"> {
  line: Line;
  text: string; // of the line: it may get more
  isCurrent: boolean;
  top: number;
  isWhole: boolean;
  onWhole: (serial: number) => void;
}

function LineText(props: RowProperties) {
  const { line, matcher } = props;
  const text = textOf(line, props.isWhole);
  const left = line.text.length - text.length;
  const pieces = piecesOf(text, line.spans, rangesOf(matcher, text));
  return (
    <span class="log-text">
      {pieces.map((one, index) => {
        const content = one.isFound ? <mark>{one.text}</mark> : one.text;
        return one.class ? <span key={index} class={one.class}>{content}</span> : content;
      })}
      {left > 0 && (
        <button type="button" class="plain log-more" onClick={() => props.onWhole(line.serial)}>
          … {left.toLocaleString("en")} more characters
        </button>
      )}
      {left === 0 && line.cut > 0 && <span class="quiet"> … {line.cut.toLocaleString("en")} more characters are left out</span>}
    </span>
  );
}

// A row whose properties are all the same is not drawn again.
class Row extends Component<RowProperties> {
  override shouldComponentUpdate(next: RowProperties): boolean {
    return (Object.keys(next) as (keyof RowProperties)[]).some((key) => this.props[key] !== next[key]);
  }

  override render(props: RowProperties) {
    const { line } = props;
    const label = props.labels.get(line.source) ?? "";
    const style = { top: `${props.top}px`, "--source": `var(--source-${props.colourOf(line.source)})` };
    const marks = `${props.isCurrent ? "is-current" : ""} ${line.isNote ? "log-note" : ""}`;
    return (
      <div class={`log-row ${marks}`} data-serial={line.serial} style={style}>
        <span class="log-name" title={label}>
          {label}
        </span>
        {props.hasTimes && <span class="log-time">{time(line.at)}</span>}
        <LineText {...props} />
      </div>
    );
  }
}

function useGrid(box: RefObject<HTMLDivElement>, dependencies: unknown[]): Grid {
  const [grid, setGrid] = useState<Grid>({ columns: 100 });
  useLayoutEffect(() => {
    const look = () => {
      const probe = box.current?.querySelector<HTMLElement>(".log-probe");
      const [name, text] = [...(probe?.children ?? [])] as HTMLElement[];
      if (!name || !text) return;
      const room = box.current!.clientWidth - text.offsetLeft - 12;
      const columns = Math.max(8, Math.floor(room / (text.offsetWidth / 100)));
      setGrid((old) => (old.columns === columns ? old : { columns }));
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, dependencies);
  return grid;
}

interface Window {
  first: number;
  last: number;
}

// What is at the top of the box while it does not follow: a line, and how much of it is above.
interface Anchor {
  serial: number;
  offset: number;
}

function useScrolling(box: RefObject<HTMLDivElement>, lines: Line[], tops: Float64Array, isFollowing: boolean, onFollow: (isOn: boolean) => void) {
  const anchor = useRef<Anchor>({ serial: 0, offset: 0 });
  const ours = useRef(-1); // where we have scrolled to: the event that comes of it is nobody's wish
  const former = useRef(0);
  const [, draw] = useState(0);
  const latest = useRef({ lines, tops });
  latest.current = { lines, tops };
  const scrollTo = (place: number) => {
    const element = box.current!;
    const before = element.scrollTop;
    element.scrollTop = place;
    if (element.scrollTop !== before) ours.current = element.scrollTop;
  };
  const hold = (place: number) => {
    const index = lineAt(latest.current.tops, place);
    anchor.current = { serial: latest.current.lines[index]?.serial ?? 0, offset: place - (latest.current.tops[index] ?? 0) };
  };
  useLayoutEffect(() => {
    const element = box.current!;
    const place = placeOf(lines, anchor.current.serial);
    const wanted = isFollowing ? element.scrollHeight - element.clientHeight : (tops[Math.min(place, lines.length)] ?? 0) + anchor.current.offset;
    if (Math.abs(element.scrollTop - wanted) > 1) scrollTo(wanted);
    if (isFollowing) hold(element.scrollTop);
  });
  const onScroll = useCallback(() => {
    const element = box.current;
    if (!element) return; // the event comes with the next frame, when the page may have been left
    const isOurs = element.scrollTop === ours.current;
    const moved = element.scrollTop - former.current;
    ours.current = -1;
    former.current = element.scrollTop;
    draw((count) => count + 1);
    if (isOurs) return;
    hold(element.scrollTop);
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight <= BOTTOM_PIXELS;
    if (isAtEnd ? moved > 0 : moved < 0) onFollow(isAtEnd); // the browser scrolls by itself, too, when there is less to show
  }, [onFollow]);
  // The middle of the box.
  const goTo = (serial: number) => {
    const place = Math.max(0, (tops[placeOf(lines, serial)] ?? 0) - box.current!.clientHeight / 2);
    scrollTo(place);
    hold(box.current!.scrollTop);
    draw((count) => count + 1);
  };
  return { onScroll, goTo };
}

function inSight(box: HTMLDivElement | null, tops: Float64Array, isFollowing: boolean): Window {
  const height = box?.clientHeight ?? 800;
  const all = tops[tops.length - 1]!;
  const top = isFollowing ? Math.max(0, all - height) : Math.min(box?.scrollTop ?? 0, Math.max(0, all - height));
  const first = lineAt(tops, top - OVERSCAN_PIXELS);
  const last = Math.min(tops.length - 1, lineAt(tops, top + height + OVERSCAN_PIXELS) + 1);
  return { first, last };
}

// Rows that turned out to be higher, or lower, than was thought. True: some did.
function measure(box: HTMLDivElement, lines: Line[], tops: Float64Array, measured: Map<number, number>): boolean {
  let isOther = false;
  for (const row of box.querySelectorAll<HTMLElement>(".log-row")) {
    const serial = Number(row.dataset.serial);
    const index = placeOf(lines, serial);
    const height = row.offsetHeight;
    if (Math.abs(height - (tops[index + 1]! - tops[index]!)) < 1) continue;
    measured.set(serial, height);
    isOther = true;
  }
  return isOther;
}

export function LogLines(props: {
  lines: Line[];
  view: LogView;
  isFollowing: boolean;
  onFollow: (isOn: boolean) => void;
  newCount: number;
}) {
  const { lines, view, isFollowing } = props;
  const box = useRef<HTMLDivElement>(null);
  const measured = useRef(new Map<number, number>());
  const [whole, setWhole] = useState<ReadonlySet<number>>(new Set());
  const [, draw] = useState(0);
  const grid = useGrid(box, [view.labels, view.hasTimes]);
  const shape = `${grid.columns} ${view.isWrapped}`;
  const lastShape = useRef(shape);
  if (lastShape.current !== shape) {
    // Heights are of that width only.
    measured.current.clear();
    lastShape.current = shape;
  }
  const tops = layout(lines, view.isWrapped, grid, measured.current);
  const { onScroll, goTo } = useScrolling(box, lines, tops, isFollowing, props.onFollow);
  const { first, last } = inSight(box.current, tops, isFollowing);
  useLayoutEffect(() => {
    if (measured.current.size > 2 * lines.length + 1000) measured.current.clear();
    if (measure(box.current!, lines, tops, measured.current)) draw((count) => count + 1);
  });
  useEffect(() => {
    if (view.current) goTo(view.current);
  }, [view.current]);
  const longest = Math.max(0, ...[...view.labels.values()].map((one) => one.length));
  const names = { "--names": `${Math.min(longest + 1, 26)}ch` } as Record<string, string>;
  const onWhole = useCallback((serial: number) => setWhole((old) => new Set([...old, serial].slice(-50))), []);
  return (
    <div class="log-frame">
      <div
        class={`log-box ${view.isWrapped ? "is-wrapped" : ""} ${view.labels.size === 1 ? "is-single" : ""}`}
        ref={box}
        style={names}
        role="log"
        aria-label="Lines"
        aria-live="off"
        tabIndex={0}
        onScroll={onScroll}
        onWheel={(event) => event.deltaY < 0 && box.current!.scrollTop > 0 && props.onFollow(false)}
      >
        <div class="log-probe" aria-hidden="true">
          <span class="log-name" />
          {view.hasTimes && <span class="log-time">{time(0)}</span>}
          <span class="log-text">{"0".repeat(100)}</span>
        </div>
        <div class="log-rows" style={{ height: `${tops[lines.length]}px` }}>
          {lines.slice(first, last).map((line, index) => (
            <Row
              key={line.serial}
              labels={view.labels}
              colourOf={view.colourOf}
              matcher={view.matcher}
              hasTimes={view.hasTimes}
              line={line}
              text={line.text}
              isCurrent={line.serial === view.current}
              top={tops[first + index]!}
              isWhole={whole.has(line.serial)}
              onWhole={onWhole}
            />
          ))}
        </div>
      </div>
      {!isFollowing && (
        <button type="button" class="log-new" onClick={() => props.onFollow(true)}>
          ↓ {props.newCount ? plural(props.newCount, "new line") : "To the newest line"}
        </button>
      )}
    </div>
  );
}
