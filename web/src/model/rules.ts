// The rules and strategies of applications (docs/rules.md, docs/applications.md) in words.
import type { ApplicationRules, ProcessRules, ProcessState } from "./types";
import { plural } from "./words";

export const STARTING_WORDS: Record<string, string> = {
  CONFIG: "the first instance of the rule that has room",
  LESS_LOADED: "the least loaded instance",
  MOST_LOADED: "the most loaded instance that still has room",
  LOCAL: "the instance that decides",
  LESS_LOADED_NODE: "an instance on the least loaded node",
  MOST_LOADED_NODE: "an instance on the most loaded node that still has room",
};

export const STARTING_FAILURE_WORDS: Record<string, string> = {
  ABORT: "the start of the application is broken off",
  STOP: "the application is stopped",
  CONTINUE: "the start goes on",
};

export const RUNNING_FAILURE_WORDS: Record<string, string> = {
  CONTINUE: "nothing more is done",
  RESTART_PROCESS: "the process is started again, elsewhere if its instance is lost",
  STOP_APPLICATION: "the application is stopped",
  RESTART_APPLICATION: "the application is stopped and started",
  SHUTDOWN: "the whole cluster is shut down",
  RESTART: "the whole cluster is restarted",
};

const DISTRIBUTION_WORDS: Record<string, string> = {
  ALL_INSTANCES: "each process where its own rule lets it",
  SINGLE_INSTANCE: "all processes in one instance",
  SINGLE_NODE: "all processes on one node",
};

export interface Fact {
  name: string;
  value: string;
  words?: string;
}

export function placesInWords(identifiers: string[] | undefined, nick: (identifier: string) => string): string {
  if (!identifiers?.length) return "nowhere";
  if (identifiers.length === 1 && identifiers[0] === "*") return "every instance";
  return identifiers.map((one) => (one === "*" ? "every other one" : nick(one))).join(", ");
}

export function applicationFacts(rules: ApplicationRules, nick: (identifier: string) => string): Fact[] {
  const start = rules.start_sequence ?? 0;
  const stop = rules.stop_sequence ?? 0;
  const facts: Fact[] = [
    { name: "Starts", value: start ? `in place ${start}` : "not by itself", words: start ? "with the cluster, after lower ones" : "when somebody asks for it" },
    { name: "Stops", value: `in place ${stop}`, words: "with the cluster, after higher ones" },
    { name: "Starting strategy", value: rules.starting_strategy ?? "", words: STARTING_WORDS[rules.starting_strategy ?? ""] },
    { name: "When a start fails", value: rules.starting_failure_strategy ?? "", words: STARTING_FAILURE_WORDS[rules.starting_failure_strategy ?? ""] },
    { name: "When a process is lost", value: rules.running_failure_strategy ?? "", words: RUNNING_FAILURE_WORDS[rules.running_failure_strategy ?? ""] },
    { name: "Distribution", value: rules.distribution ?? "", words: DISTRIBUTION_WORDS[rules.distribution ?? ""] },
  ];
  if (rules.distribution !== "ALL_INSTANCES") facts.push({ name: "May run at", value: placesInWords(rules.identifiers, nick) });
  if (rules.status_formula) facts.push({ name: "Works while", value: rules.status_formula });
  else facts.push({ name: "Works while", value: "all that is required does" });
  return facts;
}

export function processFacts(rules: ProcessRules, nick: (identifier: string) => string): Fact[] {
  return [
    { name: "Starts", value: rules.start_sequence ? `in step ${rules.start_sequence}` : "on request only" },
    { name: "Stops", value: `in step ${rules.stop_sequence}`, words: "higher ones first" },
    { name: "May run at", value: placesInWords(rules.identifiers, nick) },
    { name: "Expected load", value: `${rules.expected_loading}%` },
    { name: "Required", value: rules.required ? "yes" : "no", words: rules.required ? "without it the application fails" : "without it the application goes on" },
    ...(rules.wait_exit ? [{ name: "Ends by itself", value: "yes", words: "the next step starts when it has (wait_exit)" }] : []),
    { name: "When its start fails", value: rules.starting_failure_strategy, words: rules.required ? STARTING_FAILURE_WORDS[rules.starting_failure_strategy] : "it is not required: the start goes on" },
    { name: "When it is lost", value: rules.running_failure_strategy, words: RUNNING_FAILURE_WORDS[rules.running_failure_strategy] },
  ];
}

// Whether a process is as the rules want it while its application runs: "" or what is expected instead.
export function expectation(state: ProcessState, isExpectedExit: boolean, rules: ProcessRules | undefined, isApplicationUp: boolean): string {
  if (!rules || !isApplicationUp || rules.start_sequence === 0) return "";
  if (state === "RUNNING" || state === "STARTING" || state === "STOPPING") return "";
  if (rules.wait_exit && state === "EXITED" && isExpectedExit) return "";
  return rules.wait_exit ? "should have ended well" : "should run";
}

export function sequenceTitle(sequence: number, count: number): string {
  return `${sequence ? `Step ${sequence}` : "On request"} · ${plural(count, "process", "processes")}`;
}
