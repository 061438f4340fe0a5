// The timeline as it is looked at: which records of it, under which day and minute, and how many of them when.
import { namespecOf } from "./types";
import type { Level, TimelineEntry, TimelineKind } from "./types";

export interface TimelineFilter {
  instance?: string; // identifier
  application?: string;
  process?: string; // namespec
  kind?: string;
  level?: string; // "warning": that and worse
  text?: string;
  from?: number; // wall seconds
  to?: number;
}

export const KINDS: TimelineKind[] = ["process", "death", "resource", "application", "instance", "cluster", "daemon"];
const RANK: Record<Level, number> = { info: 0, warning: 1, error: 2 };

// What a record is about: a process, an application, or "" (the instance, the cluster).
export function subjectOf(entry: TimelineEntry): string {
  if (entry.process_name) return namespecOf(entry.application_name ?? entry.process_name, entry.process_name);
  return entry.application_name ?? "";
}

export function isWithin(entry: TimelineEntry, filter: TimelineFilter, nick: (identifier: string) => string): boolean {
  if (filter.from && entry.at < filter.from) return false;
  if (filter.to && entry.at > filter.to) return false;
  if (filter.instance && entry.identifier !== filter.instance) return false;
  if (filter.kind && entry.kind !== filter.kind) return false;
  if (filter.level && RANK[entry.level] < (RANK[filter.level as Level] ?? 0)) return false;
  if (filter.application && entry.application_name !== filter.application) return false;
  if (filter.process && (!entry.process_name || subjectOf(entry) !== filter.process)) return false;
  if (!filter.text) return true;
  const text = `${subjectOf(entry)} ${nick(entry.identifier)} ${entry.text} ${entry.kind} ${entry.level}`.toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

// The newest first.
export function select(timeline: TimelineEntry[], filter: TimelineFilter, nick: (identifier: string) => string, most = Infinity): TimelineEntry[] {
  const found: TimelineEntry[] = [];
  for (let i = timeline.length - 1; i >= 0 && found.length < most; i--) if (isWithin(timeline[i]!, filter, nick)) found.push(timeline[i]!);
  return found;
}

// The same, again and again within a minute, is one row.
export interface Row {
  entry: TimelineEntry; // the newest of them
  count: number;
  first: number; // wall seconds of the oldest
}

export interface Day {
  day: string;
  at: number; // of its newest record
  minutes: { at: number; rows: Row[] }[];
}

// Alike but for numbers: pids, counts.
function likeness(entry: TimelineEntry): string {
  return `${entry.identifier} ${subjectOf(entry)} ${entry.kind} ${entry.level} ${entry.text.replace(/[0-9]+/g, "0")}`;
}

// Records that are the newest first, by day and minute of the browser's clock.
export function byDay(entries: TimelineEntry[]): Day[] {
  const days: Day[] = [];
  let alike = new Map<string, Row>();
  for (const entry of entries) {
    const day = new Date(entry.at * 1000).toDateString();
    const minute = Math.floor(entry.at / 60);
    let last = days[days.length - 1];
    if (last?.day !== day) days.push((last = { day, at: entry.at, minutes: [] }));
    let group = last.minutes[last.minutes.length - 1];
    if (!group || Math.floor(group.at / 60) !== minute) {
      last.minutes.push((group = { at: entry.at, rows: [] }));
      alike = new Map();
    }
    const row = alike.get(likeness(entry));
    if (row) Object.assign(row, { count: row.count + 1, first: entry.at });
    else {
      const fresh = { entry, count: 1, first: entry.at };
      alike.set(likeness(entry), fresh);
      group.rows.push(fresh);
    }
  }
  return days;
}

export type Bucket = Record<Level, number>;

// How many of each level there are in each of `count` equal parts of the time between.
export function density(entries: TimelineEntry[], from: number, to: number, count: number): Bucket[] {
  const buckets: Bucket[] = Array.from({ length: count }, () => ({ info: 0, warning: 0, error: 0 }));
  const width = (to - from) / count;
  for (const one of entries) {
    const place = Math.min(count - 1, Math.floor((one.at - from) / width));
    const bucket = buckets[place];
    if (bucket && one.at >= from && one.at <= to) bucket[one.level]++;
  }
  return buckets;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

// Times for an axis: round ones, at most `most` of them. `offset`: seconds that the clock is ahead of UTC.
export function ticks(from: number, to: number, most: number, offset: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 30 * 86400;
  const places: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) places.push(at);
  return places;
}
