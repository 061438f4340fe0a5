// What happened, the newest first, by day and minute. As a part of other pages:
//
//     <RecentEvents filter={{ process: "shop:web" }} />
//
// has the last ones, and leads to the rest. j and k, or the arrows, go from one to the next; Enter goes where it happened.
import { Component } from "preact";
import { useMemo } from "preact/hooks";
import { hrefs } from "../model/attention";
import { store } from "../model/index";
import { byDay, select, subjectOf } from "../model/timeline";
import type { TimelineFilter } from "../model/timeline";
import type { TimelineEntry } from "../model/types";
import { clock } from "../model/words";
import { useTables, versionOf } from "./hooks";
import { Mark } from "./state";

const nick = (identifier: string) => store.tables.nick(identifier);

export function timelineHref(filter: TimelineFilter): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) words.set(name === "text" ? "filter" : name, String(value));
  const text = words.toString();
  return text ? `#/timeline?${text}` : "#/timeline";
}

// Where one reads more: the process with its certificate, the application, the instance.
function hrefOf(entry: TimelineEntry): string {
  if (entry.process_name) return hrefs.process(subjectOf(entry));
  if (entry.application_name) return hrefs.application(entry.application_name);
  return entry.identifier ? hrefs.instance(entry.identifier) : "#/";
}

const LEVELS = { info: null, warning: "BACKOFF", error: "FATAL" };

interface EntryProperties {
  entry: TimelineEntry;
  count: number;
  first: number;
  isFirst: boolean; // of its minute
}

function Entry(props: EntryProperties) {
  const { entry, count } = props;
  const subject = subjectOf(entry);
  const mark = LEVELS[entry.level];
  const time = clock(entry.at);
  const where = nick(entry.identifier);
  const isToldTwice = !subject && entry.text.startsWith(`${where} `);
  return (
    <li class={`event event-${entry.level}`} tabIndex={-1} data-href={hrefOf(entry)}>
      <time class={`event-time ${props.isFirst ? "" : "is-same"}`} dateTime={new Date(entry.at * 1000).toISOString()}>
        {time}
      </time>
      <span class="event-mark">
        {mark ? <Mark state={mark} /> : <span class="event-dot" aria-hidden="true" />}
        {mark && <span class="unseen">{entry.level}:</span>}
      </span>
      <span class="event-words">
        <a class="event-subject" href={hrefOf(entry)}>
          {subject || where}
        </a>{" "}
        {isToldTwice ? entry.text.slice(where.length + 1) : entry.text}
        {count > 1 && (
          <span class="event-count" title={`${count} times, first at ${clock(props.first)}`}>
            <span aria-hidden="true">×</span> {count}
            <span class="unseen"> times in this minute</span>
          </span>
        )}
      </span>
      {subject && store.tables.isCluster && entry.identifier && (
        <a class="event-where quiet" href={hrefs.instance(entry.identifier)}>
          {where}
        </a>
      )}
    </li>
  );
}

// Records do not change: an entry is drawn once.
class Once extends Component<EntryProperties> {
  override shouldComponentUpdate(next: EntryProperties): boolean {
    return next.isFirst !== this.props.isFirst || next.count !== this.props.count;
  }
  override render() {
    return <Entry {...this.props} />;
  }
}

function dayWords(at: number): string {
  const date = new Date(at * 1000);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function moveInTimeline(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement;
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const here = (event.target as HTMLElement).closest<HTMLElement>(".event");
  if (event.key === "Enter" && here && here === event.target) location.hash = here.dataset.href ?? "";
  else if (step && !event.ctrlKey && !event.metaKey && !event.altKey) goTo(list, here, step);
  else return;
  event.preventDefault();
}

function goTo(list: HTMLElement, here: HTMLElement | null, step: number): void {
  const events = [...list.querySelectorAll<HTMLElement>(".event")];
  const next = here ? events[events.indexOf(here) + step] : events[0];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

export function TimelineList(props: { entries: TimelineEntry[]; label: string }) {
  return (
    <div class="timeline" onKeyDown={moveInTimeline}>
      {byDay(props.entries).map((day) => (
        <section key={day.day} aria-label={dayWords(day.at)}>
          <h3 class="timeline-day">{dayWords(day.at)}</h3>
          <ol aria-label={`${props.label}, ${dayWords(day.at)}`}>
            {day.minutes.map((minute) => minute.rows.map((row, index) => <Once key={row.entry.serial} {...row} isFirst={index === 0} />))}
          </ol>
        </section>
      ))}
    </div>
  );
}

// The last of what happened, for the page of what it happened to.
export function RecentEvents(props: { filter: TimelineFilter; count?: number }) {
  const tables = useTables("timeline");
  const most = props.count ?? 8;
  const words = timelineHref(props.filter);
  const found = useMemo(() => select(tables.timeline, props.filter, nick, most + 1), [words, tables, versionOf("timeline"), most]);
  return (
    <section class="recent" aria-label="What happened">
      <div class="section-head">
        <h2>What happened</h2>
        {found.length > most && (
          <a class="quiet" href={words}>
            All of it
          </a>
        )}
      </div>
      {found.length === 0 ? (
        <p class="quiet">Nothing that this instance of svisord knows of, since it began.</p>
      ) : (
        <TimelineList entries={found.slice(0, most)} label="What happened" />
      )}
    </section>
  );
}
