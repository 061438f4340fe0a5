// What is done by the rules of the cluster, each with the plan of it before: svisord predicts where things start
// (svisor.predict…), the rules say in which order they stop.
import { store } from "../model/index";
import { instanceStops, loadChanges, membersOf, moveOfCopy, NO_PLAN, placesBesides, planOf, stopSteps } from "../model/plan";
import type { Plan, Prediction } from "../model/plan";
import { STARTING_WORDS } from "../model/rules";
import { canStart, isUp, namespecOf } from "../model/types";
import type { Copy, Instance, Process } from "../model/types";
import { byText, list, plural } from "../model/words";
import { askPlan } from "../ui/plan";
import type { Choice, PlanQuestion, Values } from "../ui/plan";
import type { MenuItem } from "../ui/menu";
import { errorWords, perform } from "../ui/toasts";
import { call, CallError, operate } from "./call";

const nick = (identifier: string) => store.tables.nick(identifier);

type Done = string | ((values: Values) => string);

async function planned(question: PlanQuestion, busy: string, done: Done, work: (values: Values) => Promise<unknown>): Promise<void> {
  const values = await askPlan(question);
  if (values) await perform(busy, typeof done === "string" ? done : done(values), () => work(values));
}

// ---- choices ----

export const STRATEGIES = Object.keys(STARTING_WORDS);

function strategyOf(application: string): string {
  return store.tables.applications.get(application)?.rules?.starting_strategy ?? "CONFIG";
}

function strategyChoice(application: string, chosen?: string): Choice {
  const own = strategyOf(application);
  const options = STRATEGIES.map((one) => ({
    value: one,
    text: one === own ? `${one} (as its rules say)` : one,
    words: `Each process goes to ${STARTING_WORDS[one]}.`,
  }));
  return { id: "strategy", label: "Starting strategy", kind: "select", value: chosen ?? own, options };
}

// Words as svisord reads them (shlex): all quotation marks are closed, and no backslash is the last character.
const COMMAND_LINE = /^(?:[^\\'"]|\\[^]|'[^']*'|"(?:[^\\"]|\\[^])*")*$/;

function argumentsChoice(before: string): Choice {
  return {
    id: "extra", label: "Extra arguments", kind: "text", value: before, words: "Added to the command line of the program; empty: none.",
    wrong: (text) => (COMMAND_LINE.test(text) ? "" : 'A quotation mark is not closed, or a \\ is the last character. Write \\" or \\\\ for the character itself.'),
  };
}

// ---- applications ----

const predictApplication = (name: string, values: Values) =>
  call<Prediction[]>(null, "svisor.predictApplication", { strategy: values.strategy, application_name: name });

// What a start of an application leaves alone: it starts on request only.
function onRequest(name: string): string[] {
  const rows = membersOf(store.tables, name).filter((one) => !one.rules?.start_sequence && !isUp(one.statename));
  return rows.map((one) => namespecOf(one.application_name, one.process_name)).sort(byText);
}

export function startApplication(name: string, strategy?: string): Promise<void> {
  const plan = async (values: Values) => ({ ...planOf(store.tables, [], await predictApplication(name, values)), stays: onRequest(name) });
  const question = { title: `Start ${name}?`, verb: "Start", choices: [strategyChoice(name, strategy)], plan };
  const work = (values: Values) => operate("supvisors.start_application", { strategy: values.strategy, application_name: name });
  return planned(question, `Starting ${name}…`, `${name} has started.`, work);
}

export function stopApplication(name: string): Promise<void> {
  const plan = () => planOf(store.tables, stopSteps(store.tables, membersOf(store.tables, name)), []);
  const question = { title: `Stop ${name}?`, verb: "Stop", isDangerous: true, plan };
  return planned(question, `Stopping ${name}…`, `${name} is stopped.`, () => operate("supvisors.stop_application", { application_name: name }));
}

export function restartApplication(name: string, strategy?: string): Promise<void> {
  const stops = () => stopSteps(store.tables, membersOf(store.tables, name));
  const plan = async (values: Values) => planOf(store.tables, stops(), await predictApplication(name, values));
  const question = { title: `Restart ${name}?`, verb: "Restart", isDangerous: true, choices: [strategyChoice(name, strategy)], plan };
  const work = (values: Values) => operate("supvisors.restart_application", { strategy: values.strategy, application_name: name });
  return planned(question, `Restarting ${name}…`, `${name} has started again.`, work);
}

// ---- processes ----

function processOf(namespec: string): Process | undefined {
  return store.tables.processes.get(store.tables.keyOf(namespec));
}

// The methods want the group, also where it has the name of the process.
function fullNameOf(namespec: string): string {
  return store.tables.keyOf(namespec);
}

const predictProcess = (namespec: string, values: Values) =>
  call<Prediction[]>(null, "svisor.predictProcess", { strategy: values.strategy, namespec: fullNameOf(namespec) });

function startChoices(namespec: string, strategy?: string): Choice[] {
  const process = processOf(namespec);
  return [strategyChoice(process?.application_name ?? namespec, strategy), argumentsChoice(process?.extra_args ?? "")];
}

const stopsOf = (namespec: string) => stopSteps(store.tables, [processOf(namespec)].filter((one) => one !== undefined));

// The arguments do not change where it starts: it is not asked again for each letter.
function predictedOnce(namespec: string): (values: Values) => Promise<Prediction[]> {
  const known = new Map<string, Promise<Prediction[]>>();
  return (values) => {
    const key = values.strategy ?? "";
    if (!known.has(key)) known.set(key, predictProcess(namespec, values));
    return known.get(key)!;
  };
}

export function startProcess(namespec: string, strategy?: string): Promise<void> {
  const predict = predictedOnce(namespec);
  const plan = async (values: Values) => planOf(store.tables, [], await predict(values));
  const question = { title: `Start ${namespec}?`, verb: "Start", choices: startChoices(namespec, strategy), plan };
  const work = (values: Values) =>
    operate("supvisors.start_process", { strategy: values.strategy, namespec: fullNameOf(namespec), extra_args: values.extra ?? "" });
  return planned(question, `Starting ${namespec}…`, `${namespec} runs.`, work);
}

export function stopProcess(namespec: string): Promise<void> {
  const question = { title: `Stop ${namespec}?`, verb: "Stop", isDangerous: true, plan: () => planOf(store.tables, stopsOf(namespec), []) };
  const work = () => operate("supvisors.stop_process", { namespec: fullNameOf(namespec) });
  return planned(question, `Stopping ${namespec}…`, `${namespec} is stopped.`, work);
}

export function restartProcess(namespec: string, strategy?: string): Promise<void> {
  const predict = predictedOnce(namespec);
  const plan = async (values: Values) => planOf(store.tables, stopsOf(namespec), await predict(values));
  const question = { title: `Restart ${namespec}?`, verb: "Restart", isDangerous: true, choices: startChoices(namespec, strategy), plan };
  const work = (values: Values) =>
    operate("supvisors.restart_process", { strategy: values.strategy, namespec: fullNameOf(namespec), extra_args: values.extra ?? "" });
  return planned(question, `Restarting ${namespec}…`, `${namespec} runs again.`, work);
}

// The instances in which it can be started.
function startPlaces(namespec: string): Instance[] {
  const { tables } = store;
  const copies = [...(tables.copiesOf.get(tables.keyOf(namespec))?.values() ?? [])].filter((one) => !one.disabled && canStart(one.statename));
  return copies.flatMap((one) => tables.instances.get(one.identifier) ?? []).filter((one) => one.statename === "RUNNING");
}

export function startAtItem(namespec: string): MenuItem {
  const isOff = startPlaces(namespec).length === 0;
  return { text: "Start in a chosen instance…", run: () => void startAt(namespec), isOff, why: "It runs, or is disabled, wherever it is known" };
}

// In an instance that somebody chooses: no rule counts.
export function startAt(namespec: string, identifier?: string): Promise<void> {
  const { tables } = store;
  const process = processOf(namespec);
  const options = startPlaces(namespec).map((one) => ({ value: one.identifier, text: `${nick(one.identifier)}, load ${one.loading}%` }));
  const instance: Choice = { id: "instance", label: "Instance", kind: "select", value: identifier ?? options[0]?.value ?? "", options };
  const others = process?.identifiers ?? [];
  const isManaged = tables.applications.get(process?.application_name ?? "")?.managed;
  const notes = others.length ? [`It runs at ${list(others.map(nick))} already.${isManaged ? " Two copies are a conflict, which the cluster ends by its strategy." : ""}`] : [];
  const plan = (values: Values): Plan => {
    const move = { namespec, where: [values.instance ?? ""], load: process?.rules?.expected_loading ?? 0, isBrief: process?.rules?.wait_exit ?? false, why: "" };
    const starts = [{ rank: 0, title: "", moves: [move] }];
    return { ...NO_PLAN, starts, loads: loadChanges(tables, [], starts), notes };
  };
  const question = {
    title: `Start ${namespec} in a chosen instance?`, verb: "Start there", text: "The rules of the cluster do not count.",
    choices: [instance, argumentsChoice(process?.extra_args ?? "")], plan,
  };
  const work = (values: Values) => call(values.instance ?? "", "supvisors.start_args", { namespec: fullNameOf(namespec), extra_args: values.extra ?? "", wait: false });
  return planned(question, `Starting ${namespec}…`, (values) => `${namespec} was told to start at ${nick(values.instance ?? "")}.`, work);
}

// ---- programs of instances ----

function copiesOfProgram(program: string, identifiers: string[]): Copy[] {
  return identifiers.flatMap((one) => [...(store.tables.copiesAt.get(one)?.values() ?? [])].filter((copy) => copy.program_name === program));
}

async function everywhere(identifiers: string[], work: (identifier: string) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(identifiers.map(work));
  const failed = new Map<string, string[]>(); // what is the same everywhere is said once
  results.forEach((one, index) => {
    if (one.status === "rejected") failed.set(errorWords(one.reason), [...(failed.get(errorWords(one.reason)) ?? []), identifiers[index] ?? ""]);
  });
  if (failed.size) throw new Error([...failed].map(([words, where]) => `at ${at(where)}: ${words}`).join(" "));
}

const at = (identifiers: string[]) => list(identifiers.map(nick));

export function enableProgram(program: string, identifiers: string[]): Promise<unknown> {
  const work = () => everywhere(identifiers, (one) => call(one, "supvisors.enable", { program_name: program }));
  return perform(`Enabling ${program}…`, `${program} may start again at ${at(identifiers)}.`, work);
}

export function disableProgram(program: string, identifiers: string[]): Promise<void> {
  const plan = (): Plan => {
    const up = copiesOfProgram(program, identifiers).filter((copy) => isUp(copy.statename));
    const moves = up.map((copy) => moveOfCopy(copy));
    const stops = moves.length ? [{ rank: 0, title: "", moves }] : [];
    return { ...NO_PLAN, stops, notes: ["Nobody can start it there until it is enabled: no request, no autostart, no cluster. What stops is not moved."] };
  };
  const question = { title: `Disable ${program} at ${at(identifiers)}?`, verb: "Disable", isDangerous: true, plan };
  const work = () => everywhere(identifiers, (one) => call(one, "supvisors.disable", { program_name: program, wait: false }));
  return planned(question, `Disabling ${program}…`, `${program} is disabled at ${at(identifiers)}.`, work);
}

const NUMPROCS_MAX = 10_000; // of svisord

function isCount(text: string): boolean {
  const wanted = Number(text);
  return Number.isInteger(wanted) && wanted >= 1 && wanted <= NUMPROCS_MAX;
}

export function updateNumprocs(program: string, identifiers: string[]): Promise<void> {
  const copies = copiesOfProgram(program, identifiers.slice(0, 1));
  const groups = Math.max(1, new Set(copies.map((copy) => copy.group)).size);
  const now = Math.max(1, copies.length / groups);
  const excess = (wanted: number) => copiesOfProgram(program, identifiers).filter((copy) => copy.process_index >= wanted);
  const plan = (values: Values): Plan => {
    if (!isCount(values.count ?? "")) return NO_PLAN;
    const wanted = Number(values.count);
    const gone = excess(wanted);
    const moves = gone.filter((copy) => isUp(copy.statename)).map((copy) => moveOfCopy(copy));
    const stops = moves.length && !values.lazy ? [{ rank: 0, title: "", moves }] : [];
    const notes = [];
    if (wanted > now) notes.push(`${plural(wanted - now, "process is", "processes are")} added at each of ${at(identifiers)}; with autostart they start.`);
    if (gone.length) notes.push(`${plural(gone.length, "process is", "processes are")} removed${values.lazy ? " when they stop" : ""}: ${list(gone.map((copy) => `${copy.name} at ${nick(copy.identifier)}`), 6)}.`);
    return { ...NO_PLAN, stops, notes };
  };
  const choices: Choice[] = [
    {
      id: "count", label: "Processes", kind: "number", value: String(now), words: `Of the program ${program}, in each of ${at(identifiers)}; now ${now}.`,
      isAsked: true, wrong: (text) => (isCount(text) ? "" : `Write a whole number from 1 to ${NUMPROCS_MAX}.`),
    },
    { id: "lazy", label: "Those in excess run on until they stop", kind: "check", value: "" },
  ];
  const question = { title: `How many processes of ${program}?`, verb: "Change the number", choices, plan };
  const change = async (identifier: string, values: Values) => {
    try {
      await call(identifier, "supvisors.update_numprocs", { program_name: program, numprocs: Number(values.count), wait: false, lazy: values.lazy === "yes" });
    } catch (error) {
      if (error instanceof CallError && error.code === NOT_APPLICABLE)
        throw new Error("The configuration does not allow it, and the log of svisord says why. With several processes, process_name must have %(process_num)d in it.");
      throw error;
    }
  };
  const work = (values: Values) => everywhere(identifiers, (one) => change(one, values));
  const done = ({ count, lazy }: Values) => `${program} has ${plural(Number(count), "process", "processes")} at ${at(identifiers)} ${lazy ? "when those in excess have stopped" : "now"}.`;
  return planned(question, `Changing the number of ${program}…`, done, work);
}

// ---- one process in one instance ----

const NO_FILE = 20; // faults
const NOT_APPLICABLE = 104;

// Those that people send, the usual ones first.
const SIGNALS = "HUP INT QUIT TERM USR1 USR2 STOP CONT KILL ABRT ALRM CHLD IO PIPE PWR RTMIN RTMAX TSTP TTIN TTOU URG WINCH".split(" ");

export async function signalCopy(copy: Copy): Promise<void> {
  const name = namespecOf(copy.group, copy.name);
  const options = SIGNALS.map((one) => ({ value: one, text: `SIG${one}` }));
  const question = {
    title: `Send ${name} a signal?`, verb: "Send", text: `To its main process, pid ${copy.pid} at ${nick(copy.identifier)}.`,
    choices: [{ id: "signal", label: "Signal", kind: "select" as const, value: "HUP", options, isAsked: true }],
  };
  const work = (values: Values) => call(copy.identifier, "supervisor.signalProcess", { name, signal: values.signal });
  return planned(question, `Sending ${name} a signal…`, ({ signal }) => `${name} was sent SIG${signal} at ${nick(copy.identifier)}.`, work);
}

export async function sendInput(copy: Copy): Promise<void> {
  const name = namespecOf(copy.group, copy.name);
  const question = {
    title: `Write to the standard input of ${name}?`, verb: "Write", text: `At ${nick(copy.identifier)}, with a line feed at the end.`,
    choices: [{ id: "text", label: "Text", kind: "lines" as const, value: "", isAsked: true, words: "Empty: the line feed alone." }],
  };
  const work = async (values: Values) => {
    try {
      await call(copy.identifier, "supervisor.sendProcessStdin", { name, chars: `${values.text}\n` });
    } catch (error) {
      if (error instanceof CallError && error.code === NO_FILE) throw new Error(`${name} has closed its input.`);
      throw error;
    }
  };
  return planned(question, `Writing to ${name}…`, `${name} was given the text at ${nick(copy.identifier)}.`, work);
}

// ---- the whole cluster ----

const everything = () => stopSteps(store.tables, store.tables.processes.values(), true);

function startsByThemselves(): string {
  const names = [...store.tables.applications.values()]
    .filter((one) => one.managed && one.rules?.start_sequence)
    .sort((a, b) => (a.rules?.start_sequence ?? 0) - (b.rules?.start_sequence ?? 0))
    .map((one) => one.application_name);
  return names.length ? `Then these applications start by themselves, in this order: ${list(names, 8)}.` : "No application starts by itself then.";
}

export function restartSequence(): Promise<void> {
  const missing = [...store.tables.applications.values()].filter((one) => one.managed && one.rules?.start_sequence && (one.statename === "STOPPED" || one.major_failure || one.minor_failure));
  const notes = missing.length
    ? [`Of these applications is started what is missing: ${list(missing.map((one) => one.application_name), 8)}. What runs stays.`]
    : ["Nothing seems to be missing of the applications that start by themselves."];
  const question = { title: "Start what is missing?", verb: "Start what is missing", plan: () => ({ ...NO_PLAN, notes }) };
  return planned(question, "Starting what is missing…", "The start sequence is done.", () => operate("supvisors.restart_sequence"));
}

export function restartCluster(): Promise<void> {
  const text = "All processes stop, then every instance restarts and reads its configuration again.";
  const plan = () => ({ ...NO_PLAN, stops: everything(), notes: [startsByThemselves()] });
  const question = { title: "Restart the whole cluster?", verb: "Restart the cluster", isDangerous: true, text, plan };
  return planned(question, "Restarting the cluster…", "The cluster restarts.", () => call(null, "supvisors.restart"));
}

export function shutdownCluster(): Promise<void> {
  const text = "All processes stop, then every svisord ends. This page ends with them; starting again is done on the nodes.";
  const question = { title: "Shut the whole cluster down?", verb: "Shut down the cluster", isDangerous: true, text, plan: () => ({ ...NO_PLAN, stops: everything() }) };
  return planned(question, "Shutting the cluster down…", "The cluster shuts down.", () => call(null, "supvisors.shutdown"));
}

// ---- one instance ----

// A loss is what the rules are about; an end that was asked for is none, so that nothing moves by itself.
function afterInstance(identifier: string, plan: Plan): string[] {
  const { tables } = store;
  if (!tables.isCluster) return [];
  const notes = [];
  if (tables.supvisors?.master_identifier === identifier) notes.push("It is the Master: the others elect another one.");
  const moves = plan.stops.flatMap((step) => step.moves);
  const managed = moves.filter((move) => tables.applications.get(processOf(move.namespec)?.application_name ?? "")?.managed);
  if (!managed.length) return notes;
  const stuck = managed.filter((move) => placesBesides(tables, move.namespec, identifier).length === 0);
  notes.push(`An end that was asked for is no failure: no rule moves what stops here. ${plural(managed.length - stuck.length, "process", "processes")} can be started elsewhere by hand.`);
  if (stuck.length) notes.push(`No other instance may run ${list(stuck.map((move) => move.namespec), 6)}.`);
  return notes;
}

function instancePlan(identifier: string): Plan {
  const plan = instanceStops(store.tables, identifier);
  return { ...plan, notes: afterInstance(identifier, plan) };
}

export function restartInstance(identifier: string): Promise<void> {
  const text = "All its processes stop, then svisord begins anew with the configuration as it is then.";
  const question = { title: `Restart ${nick(identifier)}?`, verb: "Restart svisord", isDangerous: true, text, plan: () => instancePlan(identifier) };
  return planned(question, `Restarting ${nick(identifier)}…`, `${nick(identifier)} restarts.`, () => call(identifier, "supervisor.restart"));
}

export function shutdownInstance(identifier: string): Promise<void> {
  const text = "All its processes stop, then svisord ends. Starting it again is done on the node.";
  const question = { title: `Shut ${nick(identifier)} down?`, verb: "Shut svisord down", isDangerous: true, text, plan: () => instancePlan(identifier) };
  return planned(question, `Shutting ${nick(identifier)} down…`, `${nick(identifier)} shuts down.`, () => call(identifier, "supervisor.shutdown"));
}

