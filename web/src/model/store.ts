// What the page knows: tables of what /live has told, with the indexes that the pages need, kept row by row. An update of one
// row touches only what belongs to that row, so that its cost does not grow with the number of rows.
//
// A snapshot (hello … ready) is read into tables of its own and takes the place of the old ones when it is complete: the page
// never shows half of one. Listeners are called once for all changes between two turns of `schedule`.
import { attentionOfApplication, attentionOfConflict, attentionOfCopy, attentionOfInstance, attentionOfProcess } from "./attention";
import type { Attention } from "./attention";
import { fullName } from "./types";
import type { Application, Copy, Gone, Hello, Instance, Message, Process, ProcessState, Supvisors, TimelineEntry } from "./types";

export const TIMELINE_MAX = 2000;
const DEATH_SECONDS = 5; // between two clocks, a death and the stop that it is

export type Kind = "hello" | "supvisors" | "instance" | "application" | "process" | "copy" | "timeline" | "conflicts" | "attention" | "link";

// How many processes are in which state.
export type Tally = Partial<Record<ProcessState, number>>;

export class Tables {
  hello: Hello | null = null;
  supvisors: Supvisors | null = null;
  instances = new Map<string, Instance>();
  applications = new Map<string, Application>();
  processes = new Map<string, Process>(); // by group:name
  processesOf = new Map<string, Map<string, Process>>(); // by application, then group:name
  copiesAt = new Map<string, Map<string, Copy>>(); // by instance, then group:name
  copiesOf = new Map<string, Map<string, Copy>>(); // by group:name, then instance
  tallyAt = new Map<string, Tally>(); // of copies, by instance
  changesAt = new Map<string, number>(); // how often a copy of an instance has changed
  tallyOf = new Map<string, Tally>(); // of processes, by application; of copies, by group, when there is no cluster
  conflicts: string[] = []; // namespecs
  timeline: TimelineEntry[] = []; // oldest first
  deaths = new Map<string, TimelineEntry>(); // the last one of each process in an instance: deathKey()
  deathCount = 0; // how often `deaths` has changed
  attention = new Map<string, Attention>();
  copyCount = 0;

  get isCluster(): boolean {
    return this.hello?.cluster ?? false;
  }

  // How the process ended last in that instance, in words; other instances tell it in the timeline only. "": not known.
  deathOf(copy: Copy): string {
    const death = this.deaths.get(deathKey(copy.identifier, fullName(copy.group, copy.name)));
    return death && death.at > copy.stop - DEATH_SECONDS ? death.text : "";
  }

  copy(identifier: string, name: string): Copy | undefined {
    return this.copiesAt.get(identifier)?.get(name);
  }

  // "web", "shop:web" → the key of the process.
  keyOf(namespec: string): string {
    return namespec.includes(":") ? namespec : fullName(namespec, namespec);
  }

  // It can be asked.
  isThere(identifier: string): boolean {
    const state = this.instances.get(identifier)?.statename;
    return !this.isCluster || state === "RUNNING" || state === "CHECKED";
  }

  // Why nothing can be done there; "": it can.
  awayWords(identifier: string): string {
    return this.isThere(identifier) ? "" : `${this.nick(identifier)} is not heard`;
  }

  nick(identifier: string): string {
    return this.instances.get(identifier)?.nick_identifier || identifier;
  }
}

function deathKey(identifier: string, name: string): string {
  return `${identifier} ${name}`;
}

function inner<K, V>(map: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let found = map.get(key);
  if (!found) map.set(key, (found = new Map()));
  return found;
}

function count(tallies: Map<string, Tally>, key: string, state: ProcessState | undefined, by: 1 | -1): void {
  if (!state) return;
  let tally = tallies.get(key);
  if (!tally) tallies.set(key, (tally = {}));
  const left = (tally[state] ?? 0) + by;
  if (left > 0) tally[state] = left;
  else delete tally[state];
}

function set<V>(map: Map<string, V>, key: string, value: V | null): boolean {
  if (value !== null) map.set(key, value);
  else return map.delete(key);
  return true;
}

// One message into the tables; says which kinds of rows have changed.
export class Writer {
  constructor(
    private readonly tables: Tables,
    private readonly changed: (kind: Kind) => void,
  ) {}

  private attend(key: string, found: Attention | null): void {
    if (set(this.tables.attention, key, found)) this.changed("attention");
  }

  private attendProcess(key: string): void {
    const { tables } = this;
    const process = tables.processes.get(key);
    if (process) this.attend(`process ${key}`, attentionOfProcess(key, process));
    else this.attend(`process ${key}`, null);
  }

  private putProcess(key: string, application: string, process: Process | null): void {
    const { tables } = this;
    count(tables.tallyOf, application, tables.processes.get(key)?.statename, -1);
    count(tables.tallyOf, application, process?.statename, 1);
    set(tables.processes, key, process);
    const siblings = inner(tables.processesOf, application);
    set(siblings, key, process);
    if (siblings.size === 0) tables.processesOf.delete(application);
    this.attendProcess(key);
    this.changed("process");
  }

  private putCopy(identifier: string, key: string, group: string, copy: Copy | null): void {
    const { tables } = this;
    const old = tables.copy(identifier, key);
    tables.copyCount += (copy ? 1 : 0) - (old ? 1 : 0);
    tables.changesAt.set(identifier, (tables.changesAt.get(identifier) ?? 0) + 1);
    count(tables.tallyAt, identifier, old?.statename, -1);
    count(tables.tallyAt, identifier, copy?.statename, 1);
    const here = inner(tables.copiesAt, identifier);
    set(here, key, copy);
    if (here.size === 0) tables.copiesAt.delete(identifier);
    const everywhere = inner(tables.copiesOf, key);
    set(everywhere, identifier, copy);
    if (everywhere.size === 0) tables.copiesOf.delete(key);
    if (tables.isCluster) {
      this.attendProcess(key);
    } else {
      count(tables.tallyOf, group, old?.statename, -1);
      count(tables.tallyOf, group, copy?.statename, 1);
      this.attend(`copy ${identifier} ${key}`, copy && attentionOfCopy(copy));
    }
    this.changed("copy");
  }

  private putConflicts(namespecs: string[]): void {
    const { tables } = this;
    for (const old of tables.conflicts) this.attend(`conflict ${old}`, null);
    tables.conflicts = namespecs;
    for (const one of namespecs) this.attend(`conflict ${one}`, attentionOfConflict(one));
    this.changed("conflicts");
  }

  private putTimeline(entry: TimelineEntry): void {
    const { timeline } = this.tables;
    timeline.push(entry);
    if (entry.kind === "death" && entry.application_name && entry.process_name) {
      this.tables.deaths.set(deathKey(entry.identifier, fullName(entry.application_name, entry.process_name)), entry);
      this.tables.deathCount++;
    }
    if (timeline.length > TIMELINE_MAX + 200) timeline.splice(0, timeline.length - TIMELINE_MAX);
    this.changed("timeline");
  }

  private forget(gone: Gone): void {
    const { tables } = this;
    const key = fullName(gone.application_name ?? "", gone.process_name ?? "");
    if (gone.kind === "process") this.putProcess(key, gone.application_name ?? "", null);
    else if (gone.kind === "copy") this.putCopy(gone.identifier ?? "", key, gone.application_name ?? "", null);
    else if (gone.kind === "application") {
      tables.applications.delete(gone.application_name ?? "");
      this.attend(`application ${gone.application_name}`, null);
      this.changed("application");
    } else {
      tables.instances.delete(gone.identifier ?? "");
      this.attend(`instance ${gone.identifier}`, null);
      this.changed("instance");
    }
  }

  apply(message: Message): void {
    const { tables } = this;
    switch (message[0]) {
      case "hello":
        tables.hello = message[1];
        return this.changed("hello");
      case "supvisors":
        tables.supvisors = message[1];
        return this.changed("supvisors");
      case "instance":
        tables.instances.set(message[1].identifier, message[1]);
        this.attend(`instance ${message[1].identifier}`, attentionOfInstance(message[1]));
        return this.changed("instance");
      case "application":
        tables.applications.set(message[1].application_name, message[1]);
        this.attend(`application ${message[1].application_name}`, attentionOfApplication(message[1]));
        return this.changed("application");
      case "process": {
        const process = message[1];
        return this.putProcess(fullName(process.application_name, process.process_name), process.application_name, process);
      }
      case "copy": {
        const copy = message[1];
        return this.putCopy(copy.identifier, fullName(copy.group, copy.name), copy.group, copy);
      }
      case "gone":
        return this.forget(message[1]);
      case "timeline":
        return this.putTimeline(message[1]);
      case "conflicts":
        return this.putConflicts(message[1].namespecs);
      case "ready":
      case "beat":
        return;
    }
  }
}

export type Listener = (changed: ReadonlySet<Kind>) => void;
const ALL: Kind[] = ["hello", "supvisors", "instance", "application", "process", "copy", "timeline", "conflicts", "attention"];

export class Store {
  tables = new Tables();
  isReady = false; // a whole snapshot has been read at least once
  clockSkew = 0; // seconds that the clock of svisord is ahead of the browser's
  private next: Tables | null = null; // the snapshot that is being read
  private writer = new Writer(this.tables, (kind) => this.touch(kind));
  private readonly listeners = new Set<Listener>();
  private readonly pending = new Set<Kind>();
  private isScheduled = false;
  // How often rows of a kind have changed: what was derived of them is still good while it stays the same.
  readonly versions: Record<Kind, number> = {
    hello: 0, supvisors: 0, instance: 0, application: 0, process: 0, copy: 0, timeline: 0, conflicts: 0, attention: 0, link: 0,
  };

  constructor(private readonly schedule: (turn: () => void) => void, private readonly now: () => number = Date.now) {}

  // True while a snapshot is being read: what is shown is older than the connection.
  get isReading(): boolean {
    return this.next !== null;
  }

  // The connection has broken off inside a snapshot: the half of it is nothing.
  dropSnapshot(): void {
    if (!this.next) return;
    this.next = null;
    this.writer = new Writer(this.tables, (kind) => this.touch(kind));
    this.touch("link");
  }

  apply(message: Message): void {
    if (message[0] === "hello") {
      this.clockSkew = message[1].now - this.now() / 1000;
      this.next = new Tables();
      this.writer = new Writer(this.next, () => undefined);
      this.touch("link");
    }
    this.writer.apply(message);
    if (message[0] === "ready" && this.next) {
      this.tables = this.next;
      this.next = null;
      this.isReady = true;
      this.writer = new Writer(this.tables, (kind) => this.touch(kind));
      ALL.forEach((kind) => this.touch(kind));
      this.touch("link");
    }
  }

  touch(kind: Kind): void {
    this.versions[kind]++;
    this.pending.add(kind);
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.schedule(() => this.tell());
  }

  private tell(): void {
    this.isScheduled = false;
    const changed = new Set(this.pending);
    this.pending.clear();
    for (const listener of [...this.listeners]) listener(changed);
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
