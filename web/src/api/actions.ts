// What the page can do. Each says what it does while it does it, and what came of it; what stops or moves something shows the
// effect before.
import { store } from "../model/index";
import { canStart, isUp, namespecOf, splitNamespec } from "../model/types";
import type { Copy, Process } from "../model/types";
import { confirmEffect } from "../ui/dialog";
import type { Effect, Question } from "../ui/dialog";
import { perform } from "../ui/toasts";
import { call, operate } from "./call";

export const STRATEGIES = ["CONFIG", "LESS_LOADED", "MOST_LOADED", "LOCAL", "LESS_LOADED_NODE", "MOST_LOADED_NODE"];

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

// ---- applications and processes, by the rules of the cluster ----

function placesOf(process: Process): Effect[] {
  const name = namespecOf(process.application_name, process.process_name);
  return process.identifiers.map((one) => ({ does: "stops", name, where: nick(one) }));
}

function stopsOf(application: string): Effect[] {
  return [...(store.tables.processesOf.get(application)?.values() ?? [])].filter((one) => isUp(one.statename)).flatMap(placesOf);
}

interface Prediction {
  application_name: string;
  process_name: string;
  state: string;
  forced_reason: string;
  running_identifiers: string[];
}

function startsOf(predictions: Prediction[]): Effect[] {
  return predictions.map((one) => {
    const name = namespecOf(one.application_name, one.process_name);
    const where = one.running_identifiers.map(nick).join(", ");
    if (where) return { does: "starts", name, where };
    return { does: "cannot start", name, why: one.forced_reason || undefined };
  });
}

export async function predictApplication(strategy: string, application_name: string): Promise<Effect[]> {
  return startsOf(await call<Prediction[]>(null, "supvisors.test_start_application", { strategy, application_name }));
}

export async function predictProcess(strategy: string, namespec: string): Promise<Effect[]> {
  return startsOf(await call<Prediction[]>(null, "supvisors.test_start_process", { strategy, namespec }));
}

// The strategy of its rules, when none was chosen: what the cluster itself would take.
export function strategyOf(application: string): string {
  return store.tables.applications.get(application)?.rules?.starting_strategy ?? "CONFIG";
}

export function startApplication(name: string, strategy = strategyOf(name)): Promise<void> {
  const text = `By the strategy ${strategy}:`;
  const question = { title: `Start ${name}?`, verb: "Start", text, effects: () => predictApplication(strategy, name) };
  const work = () => operate("supvisors.start_application", { strategy, application_name: name });
  return after(question, `Starting ${name}…`, `${name} has started.`, work);
}

export function stopApplication(name: string): Promise<void> {
  const question = { title: `Stop ${name}?`, verb: "Stop", isDangerous: true, effects: stopsOf(name) };
  const work = () => operate("supvisors.stop_application", { application_name: name });
  return after(question, `Stopping ${name}…`, `${name} is stopped.`, work);
}

export function restartApplication(name: string, strategy = strategyOf(name)): Promise<void> {
  const text = `Then ${name} starts again where its rules and the strategy ${strategy} say.`;
  const question = { title: `Restart ${name}?`, verb: "Restart", isDangerous: true, text, effects: stopsOf(name) };
  const work = () => operate("supvisors.restart_application", { strategy, application_name: name });
  return after(question, `Restarting ${name}…`, `${name} has started again.`, work);
}

export function startProcess(namespec: string, strategy = strategyOf(splitNamespec(namespec)[0]), extra_args = ""): Promise<void> {
  const text = `By the strategy ${strategy}:`;
  const question = { title: `Start ${namespec}?`, verb: "Start", text, effects: () => predictProcess(strategy, namespec) };
  const work = () => operate("supvisors.start_process", { strategy, namespec, extra_args });
  return after(question, `Starting ${namespec}…`, `${namespec} runs.`, work);
}

function processOf(namespec: string): Process | undefined {
  return store.tables.processes.get(store.tables.keyOf(namespec));
}

export function stopProcess(namespec: string): Promise<void> {
  const process = processOf(namespec);
  const question = { title: `Stop ${namespec}?`, verb: "Stop", isDangerous: true, effects: process ? placesOf(process) : [] };
  return after(question, `Stopping ${namespec}…`, `${namespec} is stopped.`, () => operate("supvisors.stop_process", { namespec }));
}

export function restartProcess(namespec: string, strategy = strategyOf(splitNamespec(namespec)[0]), extra_args = ""): Promise<void> {
  const process = processOf(namespec);
  const text = `Then it starts again where its rules and the strategy ${strategy} say.`;
  const question = { title: `Restart ${namespec}?`, verb: "Restart", isDangerous: true, text, effects: process ? placesOf(process) : [] };
  const work = () => operate("supvisors.restart_process", { strategy, namespec, extra_args });
  return after(question, `Restarting ${namespec}…`, `${namespec} runs again.`, work);
}

// ---- the whole cluster ----

function everythingStops(): Effect[] {
  return [...store.tables.processes.values()].filter((one) => isUp(one.statename)).flatMap(placesOf);
}

export function restartSequence(): Promise<void> {
  const text = "What is missing of the applications that start by themselves is started, in their sequence. What runs stays.";
  const question = { title: "Start what is missing?", verb: "Start what is missing", text };
  return after(question, "Starting what is missing…", "The start sequence is done.", () => operate("supvisors.restart_sequence"));
}

export function restartCluster(): Promise<void> {
  const text = "All processes stop, then every instance restarts and reads its configuration again.";
  const question = { title: "Restart the whole cluster?", verb: "Restart the cluster", isDangerous: true, text, effects: everythingStops() };
  return after(question, "Restarting the cluster…", "The cluster restarts.", () => call(null, "supvisors.restart"));
}

export function shutdownCluster(): Promise<void> {
  const text = "All processes stop, then every svisord ends. This page ends with them; starting again is done on the nodes.";
  const question = { title: "Shut the whole cluster down?", verb: "Shut down the cluster", isDangerous: true, text, effects: everythingStops() };
  return after(question, "Shutting the cluster down…", "The cluster shuts down.", () => call(null, "supvisors.shutdown"));
}

export function endSynchronization(master: string): Promise<void> {
  const text = master ? `${nick(master)} becomes Master.` : "The instances that are there elect a Master by the rule.";
  const question = { title: "Wait no longer for other instances?", verb: "End the synchronization", text };
  return after(question, "Ending the synchronization…", "The synchronization has ended.", () => call(null, "supvisors.end_sync", { master }));
}

// ---- one instance ----

function instanceStops(identifier: string): Effect[] {
  return effectsOn("stop", identifier, null);
}

export function restartInstance(identifier: string): Promise<void> {
  const text = "All its processes stop, then svisord begins anew with the configuration as it is then.";
  const title = `Restart ${nick(identifier)}?`;
  const question = { title, verb: "Restart svisord", isDangerous: true, text, effects: instanceStops(identifier) };
  return after(question, `Restarting ${nick(identifier)}…`, `${nick(identifier)} restarts.`, () => call(identifier, "supervisor.restart"));
}

export function shutdownInstance(identifier: string): Promise<void> {
  const text = "All its processes stop, then svisord ends. Starting it again is done on the node.";
  const title = `Shut ${nick(identifier)} down?`;
  const question = { title, verb: "Shut svisord down", isDangerous: true, text, effects: instanceStops(identifier) };
  return after(question, `Shutting ${nick(identifier)} down…`, `${nick(identifier)} shuts down.`, () => call(identifier, "supervisor.shutdown"));
}

export function clearMainLog(identifier: string): Promise<unknown> {
  return perform("Clearing the log…", `The log of ${nick(identifier)} is empty.`, () => call(identifier, "supervisor.clearLog"));
}

export const LOG_LEVELS = ["critical", "error", "warn", "info", "debug", "trace", "blather"];

export function changeLogLevel(identifier: string, level: string): Promise<unknown> {
  const done = `${nick(identifier)} logs from ${level} on, until it ends.`;
  return perform("Changing the level of the log…", done, () => call(identifier, "supvisors.change_log_level", { level }));
}

