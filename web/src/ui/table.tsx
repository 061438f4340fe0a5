// A table of any length: only the rows in sight exist. It scrolls with the page. Sorting and filtering are words of the address
// (`sort=-cpu`, `filter=web`); useTableQuery() reads and writes them, sortRows() sorts.
//
//     const query = useTableQuery("name");
//     <Table label="Processes" columns={columns} rows={sortRows(rows, columns, query.sort)} keyOf={(row) => row.id} query={query} />
import { Component } from "preact";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { setQuery, useRoute } from "./route";
import { useIsNarrow } from "./hooks";

export interface Column<Row> {
  id: string;
  title: string;
  width: string; // a track of CSS grid
  cell: (row: Row) => ComponentChildren;
  order?: (a: Row, b: Row) => number; // there: the column can be sorted
  isNumber?: boolean;
  isWide?: boolean; // left out on a phone
  isUnder?: boolean; // on a phone it stands below the first column, beside others that do
  span?: (row: Row) => number; // how many columns it takes where the next ones are empty
  isTitleHidden?: boolean; // read by screen readers only
}

export interface TableQuery {
  sort: string; // id of the column, "-" before it: downwards
  filter: string;
  setSort: (sort: string) => void;
  setFilter: (filter: string) => void;
}

export function useTableQuery(defaultSort: string, prefix = ""): TableQuery {
  const { query } = useRoute();
  return {
    sort: query.get(`${prefix}sort`) ?? defaultSort,
    filter: query.get(`${prefix}filter`) ?? "",
    setSort: (sort) => setQuery({ [`${prefix}sort`]: sort === defaultSort ? null : sort }),
    setFilter: (filter) => setQuery({ [`${prefix}filter`]: filter }),
  };
}

// Every word of the filter is somewhere in the text.
export function matches(filter: string, text: string): boolean {
  if (!filter) return true;
  const lower = text.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

export function sortRows<Row>(rows: Row[], columns: Column<Row>[], sort: string): Row[] {
  const isDown = sort.startsWith("-");
  const order = columns.find((one) => one.id === sort.replace(/^-/, ""))?.order;
  if (!order) return rows;
  return rows.sort(isDown ? (a, b) => order(b, a) : order);
}

const ROW_PIXELS = 34;
const ROW_PIXELS_NARROW = 52;
const STEP = 8; // rows come and go so many at a time

// Which rows are in sight: [first, behind the last].
function useWindow(count: number, height: number) {
  const body = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 60]);
  useLayoutEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / height / STEP) - 1) * STEP;
      const last = Math.max(first, (Math.ceil((innerHeight - top) / height / STEP) + 1) * STEP);
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    const observer = new ResizeObserver(soon); // what stands above has grown
    observer.observe(document.body);
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [count, height]);
  return { body, first: Math.min(range[0], count), last: Math.min(range[1], count) };
}

function HeaderCell<Row>(props: { column: Column<Row>; query?: TableQuery }) {
  const { column, query } = props;
  const isSorted = query?.sort.replace(/^-/, "") === column.id;
  const isDown = isSorted && query?.sort.startsWith("-");
  const title = column.isTitleHidden ? <span class="unseen">{column.title}</span> : column.title;
  return (
    <div
      role="columnheader"
      class={`th ${column.isNumber ? "number" : ""}`}
      aria-sort={isSorted ? (isDown ? "descending" : "ascending") : undefined}
    >
      {column.order && query ? (
        <button type="button" class="plain sorter" onClick={() => query.setSort(isSorted && !isDown ? `-${column.id}` : column.id)}>
          {title}
          <span aria-hidden="true" class="arrow">{isSorted ? (isDown ? "↓" : "↑") : ""}</span>
        </button>
      ) : (
        title
      )}
    </div>
  );
}

interface LineProperties<Row> {
  row: Row;
  columns: Column<Row>[];
  tracks: string;
  class: string;
  place: number;
  height: number;
}

// One row. It is drawn again only when it, its place or the columns have changed: hundreds of others stay as they are.
class Line<Row> extends Component<LineProperties<Row>> {
  shouldComponentUpdate(next: LineProperties<Row>): boolean {
    const now = this.props;
    return (Object.keys(next) as (keyof LineProperties<Row>)[]).some((name) => next[name] !== now[name]);
  }

  render() {
    const { row, columns, tracks, place, height } = this.props;
    const style = { gridTemplateColumns: tracks, top: `${place * height}px`, height: `${height}px` };
    let taken = 0;
    return (
      <div role="row" class={`tr ${this.props.class}`} aria-rowindex={place + 2} style={style}>
        {columns.map((one) => {
          if (taken-- > 0) return null;
          const span = one.span?.(row) ?? 1;
          taken = span - 1;
          return (
            <div role="cell" class={`td td-${one.id} ${one.isNumber ? "number" : ""}`} key={one.id} aria-colspan={span > 1 ? span : undefined} style={span > 1 ? { gridColumn: `span ${span}` } : undefined}>
              {one.cell(row)}
            </div>
          );
        })}
      </div>
    );
  }
}

// On a phone: what is left of the columns, the first one with others below its own.
function narrowed<Row>(columns: Column<Row>[]): Column<Row>[] {
  const [first, ...others] = columns.filter((one) => !one.isWide);
  if (!first) return columns;
  const under = others.filter((one) => one.isUnder);
  const cell = (row: Row) => (
    <span class="stack">
      {first.cell(row)}
      <span class="stack-under">
        {under.map((one) => (
          <span key={one.id}>{one.cell(row)}</span>
        ))}
      </span>
    </span>
  );
  return [{ ...first, width: "minmax(0, 1fr)", cell }, ...others.filter((one) => !one.isUnder)];
}

// `columns` should be the same array as long as the cells of a row depend on nothing but the row: see Line.
export function Table<Row>(props: {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  query?: TableQuery;
  classOf?: (row: Row) => string;
  empty?: ComponentChildren;
}) {
  const isNarrow = useIsNarrow();
  const columns = useMemo(() => (isNarrow ? narrowed(props.columns) : props.columns), [isNarrow, props.columns]);
  const height = isNarrow ? ROW_PIXELS_NARROW : ROW_PIXELS;
  const { body, first, last } = useWindow(props.rows.length, height);
  const tracks = columns.map((one) => one.width).join(" ");
  return (
    <div class="table" role="table" aria-label={props.label} aria-rowcount={props.rows.length + 1} onKeyDown={moveByKey}>
      <div role="rowgroup" class="thead">
        <div role="row" class="tr" style={{ gridTemplateColumns: tracks }} aria-rowindex={1}>
          {columns.map((one) => (
            <HeaderCell key={one.id} column={one} query={props.query} />
          ))}
        </div>
      </div>
      {props.rows.length === 0 && <div class="table-empty">{props.empty ?? "Nothing."}</div>}
      <div role="rowgroup" class="tbody" ref={body} style={{ height: `${props.rows.length * height}px` }}>
        {props.rows.slice(first, last).map((row, index) => (
          <Line
            key={props.keyOf(row)}
            row={row}
            columns={columns}
            tracks={tracks}
            class={props.classOf?.(row) ?? ""}
            place={first + index}
            height={height}
          />
        ))}
      </div>
    </div>
  );
}

// The arrow keys go from row to row, to the same place in it.
function moveByKey(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const target = event.target as HTMLElement;
  const row = target.closest<HTMLElement>(".tbody .tr");
  if (!step || !row || target.matches("input, select, textarea")) return;
  const focusable = (one: HTMLElement) => [...one.querySelectorAll<HTMLElement>("a[href], button:not(:disabled)")];
  const place = focusable(row).indexOf(target);
  const index = Number(row.getAttribute("aria-rowindex")) + step;
  const next = row.parentElement?.querySelector<HTMLElement>(`[aria-rowindex="${index}"]`);
  if (!next) return;
  event.preventDefault();
  const choices = focusable(next);
  (choices[place] ?? choices[choices.length - 1])?.focus();
}

export function FilterBox(props: { query: TableQuery; label: string }) {
  const { query } = props;
  const [text, setText] = useState(query.filter);
  const input = useRef<HTMLInputElement>(null);
  // The address follows whoever writes here, a few letters behind; only another change of it is for the box.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(query.filter);
  }, [query.filter]);
  return (
    <input
      ref={input}
      type="search"
      class="filter"
      aria-label={props.label}
      placeholder={props.label}
      autocomplete="off"
      spellcheck={false}
      value={text}
      onInput={(event) => {
        setText(event.currentTarget.value);
        query.setFilter(event.currentTarget.value);
      }}
    />
  );
}
