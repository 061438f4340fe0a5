// What happened on the cluster: the newest first, live until one scrolls down to read.
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { store } from "../model/index";
import type { Tables } from "../model/store";
import { KINDS, select } from "../model/timeline";
import type { TimelineFilter } from "../model/timeline";
import { byText, dateAndClock, plural } from "../model/words";
import { Density } from "../ui/density";
import { useTables, useTick, versionOf } from "../ui/hooks";
import { listenForKeys } from "../ui/keyboard";
import { setQuery } from "../ui/route";
import { FilterBox, useTableQuery } from "../ui/table";
import { TimelineList } from "../ui/timeline-list";
import type { PageProperties } from "./index";

const SHOWN = 400; // and as many again at each wish for more
const SCROLLED_PIXELS = 160;
const AXIS_MIN_SECONDS = 60;
const nick = (identifier: string) => store.tables.nick(identifier);

function filterOf(query: URLSearchParams, tables: Tables): TimelineFilter {
  const word = (name: string) => query.get(name) ?? undefined;
  const instance = word("instance");
  const known = [...tables.instances.values()].find((one) => one.nick_identifier === instance);
  return {
    instance: known?.identifier ?? instance, application: word("application"), process: word("process"), kind: word("kind"), level: word("level"),
    text: word("filter"), from: Number(word("from")) || undefined, to: Number(word("to")) || undefined,
  };
}

function Select(props: { word: string; label: string; all: string; value: string | undefined; options: [string, string][] }) {
  const isKnown = !props.value || props.options.some(([value]) => value === props.value);
  const options = isKnown ? props.options : [...props.options, [props.value!, props.value!] as [string, string]];
  return (
    <select class={props.value ? "is-set" : ""} aria-label={props.label} value={props.value ?? ""} onChange={(event) => setQuery({ [props.word]: event.currentTarget.value })}>
      <option value="">{props.all}</option>
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

function Filters(props: { filter: TimelineFilter; tables: Tables }) {
  const { filter, tables } = props;
  const query = useTableQuery("");
  const names = new Set(tables.timeline.flatMap((one) => (one.application_name ? [one.application_name] : [])));
  const applications = [...names].sort(byText).map((one): [string, string] => [one, one]);
  const instances = [...tables.instances.values()].map((one): [string, string] => [one.identifier, one.nick_identifier || one.identifier]);
  const isSet = Object.values(filter).some((one) => one !== undefined && one !== "");
  const clear = () => setQuery({ instance: null, application: null, process: null, kind: null, level: null, filter: null, from: null, to: null });
  return (
    <div class="timeline-filters" role="search" aria-label="In the timeline">
      <FilterBox query={query} label="Filter what happened" />
      <Select word="level" label="How bad" all="Everything" value={filter.level} options={[["warning", "Warnings and errors"], ["error", "Errors"]]} />
      <Select word="kind" label="Kind" all="All kinds" value={filter.kind} options={KINDS.map((one) => [one, one.charAt(0).toUpperCase() + one.slice(1)])} />
      {tables.isCluster && <Select word="instance" label="Instance" all="All instances" value={filter.instance} options={instances} />}
      <Select word="application" label={tables.isCluster ? "Application" : "Group"} all={tables.isCluster ? "All applications" : "All groups"} value={filter.application} options={applications} />
      {filter.process && (
        <button type="button" class="small toggle" aria-pressed="true" onClick={() => setQuery({ process: null })}>
          {filter.process} ✕
        </button>
      )}
      {isSet && (
        <button type="button" class="small" onClick={clear}>
          Show everything
        </button>
      )}
    </div>
  );
}

// The serial at which the list stands still while somebody has scrolled, or goes with the keys, into it; 0: it is live.
function useStandstill(newest: number, list: RefObject<HTMLElement>): number {
  const [at, setAt] = useState(0);
  const latest = useRef(newest);
  latest.current = newest;
  useEffect(() => {
    const look = () => {
      const isLive = scrollY < SCROLLED_PIXELS && !list.current?.contains(document.activeElement);
      setAt((old) => (isLive ? 0 : old || latest.current));
    };
    const soon = () => setTimeout(look, 0); // when the focus has arrived
    const events = [["scroll", look], ["focusin", look], ["focusout", soon]] as const;
    for (const [name, listener] of events) document.addEventListener(name, listener, { passive: true });
    return () => events.forEach(([name, listener]) => document.removeEventListener(name, listener));
  }, []);
  return at;
}

const SPANS: [string, number][] = [["15 min", 900], ["1 h", 3600], ["24 h", 86400]];

function Spans(props: { filter: TimelineFilter }) {
  const { from, to } = props.filter;
  const last = (seconds: number) => setQuery({ from: String(Math.floor(Date.now() / 1000 + store.clockSkew - seconds)), to: null });
  return (
    <div class="timeline-spans" role="group" aria-label="How far back">
      {SPANS.map(([text, seconds]) => (
        <button key={text} type="button" class="small" onClick={() => last(seconds)}>
          {text}
        </button>
      ))}
      {(from || to) && (
        <button type="button" class="small toggle" aria-pressed="true" onClick={() => setQuery({ from: null, to: null })}>
          {from ? `from ${dateAndClock(from)}` : ""} {to ? `to ${dateAndClock(to)}` : ""} ✕
        </button>
      )}
    </div>
  );
}

export function TimelinePage(props: PageProperties) {
  const tables = useTables("timeline", "instance");
  const now = useTick() / 1000 + store.clockSkew;
  const [most, setMost] = useState(SHOWN);
  const filter = filterOf(props.query, tables);
  const words = JSON.stringify(filter);
  const found = useMemo(() => select(tables.timeline, filter, nick), [words, tables, versionOf("timeline")]);
  const list = useRef<HTMLDivElement>(null);
  const still = useStandstill(found[0]?.serial ?? 0, list);
  const shown = still ? found.filter((one) => one.serial <= still) : found;
  const newer = found.length - shown.length;
  useEffect(() => setMost(SHOWN), [words]);
  useEffect(() => {
    const first = () => list.current?.querySelector<HTMLElement>(".event")?.focus();
    return listenForKeys({ j: () => !list.current?.contains(document.activeElement) && first(), k: () => undefined });
  }, []);
  const oldest = filter.from ?? found[found.length - 1]?.at ?? now;
  const end = filter.to ?? now;
  const from = Math.min(oldest, end - AXIS_MIN_SECONDS);
  const zoom = (start: number, stop: number) => setQuery({ from: start.toFixed(1), to: stop >= end - 1 && !filter.to ? null : stop.toFixed(1) });
  return (
    <div class="page timeline-page">
      <div class="page-head">
        <h1>Timeline</h1>
        <Spans filter={filter} />
      </div>
      <Density entries={found} from={from} to={end} onZoom={zoom} />
      <Filters filter={filter} tables={tables} />
      <div>
        <div class="timeline-new-place">
          {newer > 0 && (
            <button type="button" class="timeline-new" onClick={(event) => (event.currentTarget.blur(), scrollTo({ top: 0 }))}>
              ↑ {plural(newer, "new record")}
            </button>
          )}
        </div>
        <div ref={list}>
          <TimelineList entries={shown.slice(0, most)} label="What happened" />
        </div>
      </div>
      {shown.length === 0 && <p class="quiet">{tables.timeline.length ? "Nothing like that has happened." : "Nothing has happened yet."}</p>}
      {shown.length > most && (
        <button type="button" class="timeline-more" onClick={() => setMost(most + SHOWN)}>
          Show {Math.min(SHOWN, shown.length - most)} older ones
        </button>
      )}
    </div>
  );
}
