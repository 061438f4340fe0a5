// What the page can do. Each says what it does while it does it, and what came of it; what stops or moves something shows the
// effect before.
import { store } from "../model/index";
import { canStart, isUp, namespecOf } from "../model/types";
import type { Copy } from "../model/types";
import { confirmEffect } from "../ui/dialog";
import type { Effect, Question } from "../ui/dialog";
import { perform } from "../ui/toasts";
import { call } from "./call";
export * from "./cluster";

const nick = (identifier: string) => store.tables.nick(identifier);

async function after(question: Question, busy: string, done: string, work: () => Promise<unknown>): Promise<void> {
  if (await confirmEffect(question)) await perform(busy, done, work);
}

// ---- one process in one instance: no rule counts ----

function whereOf(copy: Copy): string {
  return store.tables.isCluster ? ` at ${nick(copy.identifier)}` : "";
}

export function startCopy(copy: Copy): Promise<unknown> {
  const name = namespecOf(copy.group, copy.name);
  const work = () => call(copy.identifier, "supervisor.startProcess", { name, wait: false });
  return perform(`Starting ${name}${whereOf(copy)}…`, `${name} was told to start.`, work);
}

export function stopCopy(copy: Copy): Promise<unknown> {
  const name = namespecOf(copy.group, copy.name);
  const work = () => call(copy.identifier, "supervisor.stopProcess", { name, wait: false });
  return perform(`Stopping ${name}${whereOf(copy)}…`, `${name} was told to stop.`, work);
}

export function restartCopy(copy: Copy): Promise<unknown> {
  const name = namespecOf(copy.group, copy.name);
  const work = async () => {
    await call(copy.identifier, "supervisor.stopProcess", { name, wait: true });
    await call(copy.identifier, "supervisor.startProcess", { name, wait: false });
  };
  return perform(`Restarting ${name}${whereOf(copy)}…`, `${name} was stopped, and told to start.`, work);
}

export function clearLogs(copy: Copy): Promise<unknown> {
  const name = namespecOf(copy.group, copy.name);
  const work = () => call(copy.identifier, "supervisor.clearProcessLogs", { name });
  return perform(`Clearing the logs of ${name}…`, `The logs of ${name} are empty.`, work);
}

// Of the log of svisord, with namespec "".
export function emptyLogs(identifier: string, namespec: string): Promise<void> {
  const what = namespec ? `logs of ${namespec}` : "log of svisord";
  const text = namespec ? "What is in the files of its output and its error output is gone then." : "What is in the file is gone then.";
  const question = { title: `Empty the ${what} at ${nick(identifier)}?`, text, verb: "Empty", isDangerous: true };
  const work = () => (namespec ? call(identifier, "supervisor.clearProcessLogs", { name: namespec }) : call(identifier, "supervisor.clearLog"));
  return after(question, `Emptying the ${what}…`, `The ${what} at ${nick(identifier)} ${namespec ? "are" : "is"} empty.`, work);
}

// ---- groups, and all, of one instance ----

export type Verb = "start" | "stop" | "restart";
const DOES: Record<Verb, Effect["does"]> = { start: "starts", stop: "stops", restart: "restarts" };

function isConcerned(verb: Verb, copy: Copy): boolean {
  if (verb === "start") return canStart(copy.statename) && !copy.disabled;
  return isUp(copy.statename) || (verb === "restart" && canStart(copy.statename) && !copy.disabled);
}

function effectOnCopy(verb: Verb, copy: Copy): Effect {
  const does = verb === "restart" && !isUp(copy.statename) ? "starts" : DOES[verb];
  return { does, name: namespecOf(copy.group, copy.name), where: nick(copy.identifier) };
}

function effectsOn(verb: Verb, identifier: string, group: string | null): Effect[] {
  const copies = [...(store.tables.copiesAt.get(identifier)?.values() ?? [])];
  return copies
    .filter((copy) => (group === null || copy.group === group) && isConcerned(verb, copy))
    .map((copy) => effectOnCopy(verb, copy));
}

// The array of those methods has a status for each process; 80 is success.
function checkEach(results: unknown): void {
  if (!Array.isArray(results)) return;
  const failed = (results as { name: string; status: number; description: string }[]).filter((one) => one.status !== 80);
  if (failed.length) throw new Error(failed.map((one) => `${one.name}: ${one.description}`).slice(0, 5).join("; "));
}

export function groupVerb(verb: Verb, identifier: string, group: string): Promise<void> {
  const stop = async () => checkEach(await call(identifier, "supervisor.stopProcessGroup", { name: group, wait: verb === "restart" }));
  const start = async () => checkEach(await call(identifier, "supervisor.startProcessGroup", { name: group, wait: false }));
  const title = `${capital(verb)} all of ${group} at ${nick(identifier)}?`;
  const text = store.tables.applications.get(group)?.managed ? "Here the rules of the cluster do not count: processes start in this instance." : undefined;
  const question = { title, text, verb: capital(verb), isDangerous: verb !== "start", effects: effectsOn(verb, identifier, group) };
  return after(question, `${doing(verb)} ${group}…`, `The processes of ${group} were told to ${verb}.`, async () => {
    if (verb !== "start") await stop();
    if (verb !== "stop") await start();
  });
}

export function allVerb(verb: Verb, identifier: string): Promise<void> {
  const stop = async () => checkEach(await call(identifier, "supervisor.stopAllProcesses", { wait: verb === "restart" }));
  const start = async () => checkEach(await call(identifier, "supervisor.startAllProcesses", { wait: false }));
  const title = `${capital(verb)} all processes of ${nick(identifier)}?`;
  const question = { title, verb: `${capital(verb)} all`, isDangerous: verb !== "start", effects: effectsOn(verb, identifier, null) };
  return after(question, `${doing(verb)} all…`, `All processes were told to ${verb}.`, async () => {
    if (verb !== "start") await stop();
    if (verb !== "stop") await start();
  });
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function doing(verb: Verb): string {
  return { start: "Starting", stop: "Stopping", restart: "Restarting" }[verb];
}

// ---- the cluster: applications and processes by its rules, and all of it: cluster.ts ----

export function endSynchronization(master: string): Promise<void> {
  const text = master ? `${nick(master)} becomes Master.` : "The instances that are there elect a Master by the rule.";
  const question = { title: "Wait no longer for other instances?", verb: "End the synchronization", text };
  return after(question, "Ending the synchronization…", "The synchronization has ended.", () => call(null, "supvisors.end_sync", { master }));
}

// ---- one instance ----

export function clearMainLog(identifier: string): Promise<unknown> {
  return perform("Clearing the log…", `The log of ${nick(identifier)} is empty.`, () => call(identifier, "supervisor.clearLog"));
}

export const LOG_LEVELS = ["critical", "error", "warn", "info", "debug", "trace", "blather"];

export function changeLogLevel(identifier: string, level: string): Promise<unknown> {
  const done = `${nick(identifier)} logs from ${level} on, until it ends.`;
  return perform("Changing the level of the log…", done, () => call(identifier, "supvisors.change_log_level", { level }));
}

