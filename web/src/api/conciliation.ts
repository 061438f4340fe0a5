// What can be done about conflicts: by hand, or by a strategy for one of them or for all.
import { store } from "../model/index";
import { effectOf, STRATEGIES } from "../model/conflicts";
import type { Conflict } from "../model/conflicts";
import { loadChanges, moveOfCopy, NO_PLAN, startSteps } from "../model/plan";
import type { Plan, Prediction } from "../model/plan";
import type { Copy } from "../model/types";
import { list, plural } from "../model/words";
import { askPlan } from "../ui/plan";
import { perform } from "../ui/toasts";
import { call } from "./call";

const nick = (identifier: string) => store.tables.nick(identifier);

const stopAt = (copy: Copy, name: string) => call(copy.identifier, "supervisor.stopProcess", { name, wait: true });

async function stopping(title: string, verb: string, conflict: Conflict, copies: Copy[], done: string): Promise<void> {
  const plan = (): Plan => {
    const stops = [{ rank: 0, title: "", moves: copies.map((copy) => moveOfCopy(copy, conflict.process)) }];
    const stays = conflict.copies.map((one) => one.copy).filter((copy) => !copies.includes(copy));
    const notes = stays.length ? [`${conflict.namespec} goes on at ${list(stays.map((copy) => nick(copy.identifier)))}.`] : [];
    return { ...NO_PLAN, stops, notes, loads: loadChanges(store.tables, stops, []) };
  };
  if (!(await askPlan({ title, verb, isDangerous: true, plan }))) return;
  await perform(`Stopping ${conflict.namespec} at ${list(copies.map((copy) => nick(copy.identifier)))}…`, done, async () => {
    await Promise.all(copies.map((copy) => stopAt(copy, conflict.namespec)));
  });
}

export function stopOne(conflict: Conflict, copy: Copy): Promise<void> {
  const where = nick(copy.identifier);
  return stopping(`Stop ${conflict.namespec} at ${where}?`, "Stop this copy", conflict, [copy], `${conflict.namespec} is stopped at ${where}.`);
}

export function keepOne(conflict: Conflict, copy: Copy): Promise<void> {
  const where = nick(copy.identifier);
  const others = conflict.copies.map((one) => one.copy).filter((one) => one !== copy);
  return stopping(`Keep only ${conflict.namespec} at ${where}?`, "Stop the others", conflict, others, `${conflict.namespec} runs at ${where} only.`);
}

// RESTART starts each where the rules say, once it has stopped.
async function planOf(strategy: string, conflicts: Conflict[]): Promise<Plan> {
  const { tables } = store;
  const plan = effectOf(strategy, conflicts, nick);
  if (strategy !== "RESTART") return { ...plan, loads: loadChanges(tables, plan.stops, []) };
  const asked = conflicts.map((one) => {
    const own = tables.applications.get(one.process?.application_name ?? "")?.rules?.starting_strategy ?? "CONFIG";
    return call<Prediction[]>(null, "svisor.predictProcess", { strategy: own, namespec: tables.keyOf(one.namespec) });
  });
  const answers = await Promise.allSettled(asked);
  const predictions = answers.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const { starts, unplaced } = startSteps(tables, predictions);
  const notes = answers.some((one) => one.status === "rejected") ? ["Where one of them starts cannot be told."] : [];
  return { ...plan, starts, unplaced, notes, loads: loadChanges(tables, plan.stops, starts) };
}

// Of one conflict, or of all when `isAll`.
export async function conciliate(strategy: string, conflicts: Conflict[], isAll: boolean): Promise<void> {
  const chosen = STRATEGIES.find((one) => one.name === strategy);
  const [first] = conflicts;
  if (!chosen || !first) return;
  const about = isAll ? `all ${plural(conflicts.length, "conflict")}` : first.namespec;
  const question = { title: `${chosen.title}: ${about}?`, verb: chosen.title, isDangerous: true, text: chosen.words, plan: () => planOf(strategy, conflicts) };
  if (!(await askPlan(question))) return;
  const work = () =>
    isAll
      ? call(null, "supvisors.conciliate", { strategy })
      : call(null, "svisor.conciliate", { strategy, namespec: store.tables.keyOf(first.namespec) });
  await perform(`${chosen.title}…`, `${chosen.title}: the cluster does it for ${about}.`, work);
}
