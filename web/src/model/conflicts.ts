// Conflicts: managed processes that run in more than one instance, and what each strategy does about them (docs/applications.md).
import { moveOfCopy, NO_PLAN } from "./plan";
import type { Plan } from "./plan";
import { RUNNING_FAILURE_WORDS } from "./rules";
import type { Tables } from "./store";
import { isUp } from "./types";
import type { Copy, Process } from "./types";

export interface Strategy {
  name: string;
  title: string;
  words: string;
}

export const STRATEGIES: Strategy[] = [
  { name: "SENICIDE", title: "Keep the newest", words: "The copy that was started last stays; the older ones stop." },
  { name: "INFANTICIDE", title: "Keep the oldest", words: "The copy that was started first stays; the newer ones stop." },
  { name: "STOP", title: "Stop all", words: "All copies stop. Nothing starts." },
  { name: "RESTART", title: "Stop all, start one", words: "All copies stop, then one starts where the rules say." },
  { name: "RUNNING_FAILURE", title: "Treat as a failure", words: "All copies stop, then what the rules say of a lost process is done." },
];

// The strategy that waits for somebody: there is nothing to press.
export const USER_WORDS = "Nothing is done: whoever reads this decides.";

export interface ConflictCopy {
  copy: Copy;
  uptime: number; // seconds, by the clock of its own instance
  age: "newest" | "oldest" | "between";
}

export interface Conflict {
  namespec: string;
  process: Process | undefined;
  copies: ConflictCopy[]; // the oldest first
}

// Equal ages are decided by the order of the instances, as svisord does: the first lives.
export function conflictOf(tables: Tables, namespec: string, uptime: (copy: Copy) => number): Conflict {
  const key = tables.keyOf(namespec);
  const process = tables.processes.get(key);
  const order = [...tables.instances.keys()];
  const up = [...(tables.copiesOf.get(key)?.values() ?? [])].filter((copy) => isUp(copy.statename));
  up.sort((a, b) => uptime(b) - uptime(a) || order.indexOf(a.identifier) - order.indexOf(b.identifier));
  const youngest = Math.min(...up.map(uptime));
  const newest = up.find((copy) => uptime(copy) === youngest);
  const copies = up.map((copy, index): ConflictCopy => ({ copy, uptime: uptime(copy), age: index === 0 ? "oldest" : copy === newest ? "newest" : "between" }));
  return { namespec, process, copies };
}

export function keptBy(strategy: string, conflict: Conflict): Copy | undefined {
  const age = { SENICIDE: "newest", INFANTICIDE: "oldest" }[strategy];
  return conflict.copies.find((one) => one.age === age)?.copy;
}

// What the strategy does, without where a new copy starts: that is asked of svisord.
export function effectOf(strategy: string, conflicts: Conflict[], nick: (identifier: string) => string): Plan {
  const notes: string[] = [];
  const stops = conflicts.flatMap((conflict) => {
    const kept = keptBy(strategy, conflict);
    if (kept) notes.push(`${conflict.namespec} goes on at ${nick(kept.identifier)}.`);
    if (strategy === "RUNNING_FAILURE") notes.push(failureNote(conflict));
    return conflict.copies.filter((one) => one.copy !== kept).map((one) => moveOfCopy(one.copy, conflict.process));
  });
  return { ...NO_PLAN, stops: stops.length ? [{ rank: 0, title: "", moves: stops }] : [], notes };
}

function failureNote(conflict: Conflict): string {
  const rule = conflict.process?.rules?.running_failure_strategy ?? "CONTINUE";
  return `Then, for ${conflict.namespec}: ${RUNNING_FAILURE_WORDS[rule] ?? rule} (${rule}).`;
}
