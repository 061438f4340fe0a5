// What an action will do, before it is done: what stops, in which order; what starts, by which step and where; what finds no
// place; and the loads then. The order comes from the rules, the places from svisord's own prediction (svisor.predict…).
import type { Tables } from "./store";
import { isUp, namespecOf } from "./types";
import type { Copy, Process } from "./types";
import { byText } from "./words";

export interface Move {
  namespec: string;
  where: string[]; // identifiers
  load: number; // expected_loading
  isBrief: boolean; // wait_exit: it ends by itself, and weighs nothing then
  why: string;
}

export interface Step {
  rank: number; // of the application, times 1000, and of the process: steps are in the order in which they are done
  title: string;
  moves: Move[];
}

export interface LoadChange {
  name: string; // nickname of an instance, or the name of a node with several of them
  isNode: boolean;
  before: number;
  after: number;
}

export interface Plan {
  stops: Step[];
  starts: Step[];
  unplaced: Move[];
  stays: string[]; // namespecs that the action leaves as they are, where that may surprise
  loads: LoadChange[];
  notes: string[];
}

export const NO_PLAN: Plan = { stops: [], starts: [], unplaced: [], stays: [], loads: [], notes: [] };

// As svisor.predictApplication and svisor.predictProcess answer.
export interface Prediction {
  application_name: string;
  process_name: string;
  state: string;
  forced_reason: string;
  running_identifiers: string[];
  started_identifiers: string[]; // also of what has ended then (wait_exit)
  why: string;
}

function moveOf(process: Process, where: string[], why = ""): Move {
  return {
    namespec: namespecOf(process.application_name, process.process_name),
    where,
    load: process.rules?.expected_loading ?? 0,
    isBrief: process.rules?.wait_exit ?? false,
    why,
  };
}

export function moveOfCopy(copy: Copy, process?: Process): Move {
  return { namespec: namespecOf(copy.group, copy.name), where: [copy.identifier], load: process?.rules?.expected_loading ?? 0, isBrief: false, why: "" };
}

function stepsOf(rows: { rank: number; title: string; move: Move }[], isDown: boolean): Step[] {
  const steps = new Map<number, Step>();
  for (const { rank, title, move } of rows) {
    const step = steps.get(rank);
    if (step) step.moves.push(move);
    else steps.set(rank, { rank, title, moves: [move] });
  }
  const sorted = [...steps.values()].sort((a, b) => (isDown ? b.rank - a.rank : a.rank - b.rank));
  for (const step of sorted) step.moves.sort((a, b) => byText(a.namespec, b.namespec));
  return sorted;
}

const RANK = 1000; // more than a sequence can have

// What runs of these, in the order of the stop sequences: the highest first, of applications, then inside of each.
export function stopSteps(tables: Tables, processes: Iterable<Process>, isOfMany = false): Step[] {
  const rows = [];
  for (const process of processes) {
    if (!isUp(process.statename)) continue;
    const application = tables.applications.get(process.application_name);
    const first = isOfMany ? (application?.rules?.stop_sequence ?? 0) : 0;
    const second = process.rules?.stop_sequence ?? 0;
    rows.push({ rank: first * RANK + second, title: isOfMany ? `${first}.${second}` : `${second}`, move: moveOf(process, process.identifiers) });
  }
  return stepsOf(rows, true);
}

// What the prediction says: the steps of what has a place, and what has none, with why.
export function startSteps(tables: Tables, predictions: Prediction[]): { starts: Step[]; unplaced: Move[] } {
  const rows = [];
  const unplaced = [];
  for (const one of predictions) {
    const process = tables.processes.get(`${one.application_name}:${one.process_name}`);
    if (!process) continue;
    const where = one.started_identifiers.length ? one.started_identifiers : one.running_identifiers;
    const move = moveOf(process, where, one.why);
    const rank = process.rules?.start_sequence ?? 0;
    if (where.length) rows.push({ rank, title: `${rank}`, move });
    else unplaced.push({ ...move, why: refusal(one) });
  }
  return { starts: stepsOf(rows, false), unplaced: unplaced.sort((a, b) => byText(a.namespec, b.namespec)) };
}

function refusal(one: Prediction): string {
  return one.why.replace(/^not started, no place for it: /, "") || one.forced_reason || "not started: the start is broken off before";
}

// Loads of the instances that are touched, and of nodes that have several instances; what only runs for a while weighs nothing.
export function loadChanges(tables: Tables, stops: Step[], starts: Step[]): LoadChange[] {
  const by = new Map<string, number>();
  const add = (steps: Step[], sign: number) => {
    for (const move of steps.flatMap((step) => step.moves))
      for (const where of move.where) by.set(where, (by.get(where) ?? 0) + (sign > 0 && move.isBrief ? 0 : sign * move.load));
  };
  add(stops, -1);
  add(starts, 1);
  const nodes = new Map<string, LoadChange & { count: number; isTouched: boolean }>();
  const changes: LoadChange[] = [];
  for (const instance of tables.instances.values()) {
    const before = instance.loading ?? 0;
    const after = Math.max(0, before + (by.get(instance.identifier) ?? 0));
    const node = nodes.get(instance.node_name) ?? { name: instance.node_name, isNode: true, before: 0, after: 0, count: 0, isTouched: false };
    nodes.set(instance.node_name, node);
    node.before += before;
    node.after += after;
    node.count++;
    node.isTouched ||= by.has(instance.identifier);
    if (by.has(instance.identifier)) changes.push({ name: tables.nick(instance.identifier), isNode: false, before, after });
  }
  for (const { name, before, after, count, isTouched } of nodes.values())
    if (isTouched && count > 1) changes.push({ name, isNode: true, before, after });
  return changes.some((one) => one.before !== one.after || one.before > 0) ? changes : [];
}

export function planOf(tables: Tables, stops: Step[], predictions: Prediction[], notes: string[] = []): Plan {
  const { starts, unplaced } = startSteps(tables, predictions);
  return { ...NO_PLAN, stops, starts, unplaced, loads: loadChanges(tables, stops, starts), notes };
}

export function membersOf(tables: Tables, application: string): Process[] {
  return [...(tables.processesOf.get(application)?.values() ?? [])];
}

function upAt(tables: Tables, identifier: string): Copy[] {
  return [...(tables.copiesAt.get(identifier)?.values() ?? [])].filter((copy) => isUp(copy.statename));
}

// All that runs in one instance ends there: it is stopped, no process is lost, so that no rule about failures counts.
export function instanceStops(tables: Tables, identifier: string): Plan {
  const moves = upAt(tables, identifier).map((copy) => moveOfCopy(copy, tables.processes.get(`${copy.group}:${copy.name}`)));
  moves.sort((a, b) => byText(a.namespec, b.namespec));
  const stops = moves.length ? [{ rank: 0, title: "", moves }] : [];
  return { ...NO_PLAN, stops, loads: loadChanges(tables, stops, []) };
}

// Where a process that stops here may run besides: elsewhere it is known, enabled, and the instance is there.
export function placesBesides(tables: Tables, namespec: string, identifier: string): string[] {
  const process = tables.processes.get(tables.keyOf(namespec));
  const rule = process?.rules?.identifiers ?? ["*"];
  const isAllowed = (one: string) => rule.includes("*") || rule.includes(one) || rule.includes(tables.nick(one)) || rule.some((word) => /^[#@]$/.test(word));
  const copies = tables.copiesOf.get(tables.keyOf(namespec));
  return [...(copies?.values() ?? [])]
    .filter((copy) => copy.identifier !== identifier && !copy.disabled && isAllowed(copy.identifier))
    .filter((copy) => tables.instances.get(copy.identifier)?.statename === "RUNNING")
    .map((copy) => copy.identifier);
}
