// The bodies of /live (docs/live.md), as they come. Nothing is renamed: what the page shows is what the methods answer.

export interface Hello {
  protocol: number;
  version: string;
  identifier: string;
  nick_identifier: string;
  cluster: boolean;
  supervisor_identifier: string;
  now: number;
  software_name: string;
  software_icon: boolean;
  css_files: string[];
  synchro_options: string[];
}

export type FsmState =
  | "OFF"
  | "SYNCHRONIZATION"
  | "ELECTION"
  | "DISTRIBUTION"
  | "OPERATION"
  | "CONCILIATION"
  | "RESTARTING"
  | "SHUTTING_DOWN"
  | "FINAL";

export interface Supvisors {
  identifier: string;
  nick_identifier: string;
  fsm_statename: FsmState;
  master_identifier: string;
  degraded_mode: boolean;
  discovery_mode: boolean;
  starting_jobs: string[];
  stopping_jobs: string[];
  instance_states: Record<string, InstanceState>;
}

export type InstanceState = "STOPPED" | "CHECKING" | "CHECKED" | "RUNNING" | "FAILED" | "ISOLATED";

export interface Instance {
  identifier: string;
  nick_identifier: string;
  node_name: string;
  port: number;
  statename: InstanceState;
  loading: number;
  process_failure: boolean;
  remote_time?: number;
  local_time?: number;
  stereotypes?: string[];
  url?: string;
  version?: string;
  why?: string;
}

export type ApplicationState = "STOPPED" | "STARTING" | "RUNNING" | "STOPPING" | "DELETED";

export interface ApplicationRules {
  managed: boolean;
  distribution?: string;
  identifiers?: string[];
  start_sequence?: number;
  stop_sequence?: number;
  starting_strategy?: string;
  starting_failure_strategy?: string;
  running_failure_strategy?: string;
  status_formula?: string;
}

export interface Application {
  application_name: string;
  managed: boolean;
  statename: ApplicationState;
  major_failure: boolean;
  minor_failure: boolean;
  rules?: ApplicationRules;
}

export type ProcessState =
  | "STOPPED"
  | "STARTING"
  | "RUNNING"
  | "BACKOFF"
  | "STOPPING"
  | "EXITED"
  | "FATAL"
  | "UNKNOWN"
  | "DELETED";

export interface ProcessRules {
  identifiers?: string[];
  start_sequence: number;
  stop_sequence: number;
  required: boolean;
  wait_exit: boolean;
  expected_loading: number;
  starting_failure_strategy: string;
  running_failure_strategy: string;
}

// A process over all instances.
export interface Process {
  application_name: string;
  process_name: string;
  statename: ProcessState;
  expected_exit: boolean;
  identifiers: string[];
  extra_args: string;
  why?: string;
  rules?: ProcessRules;
}

// A process in one instance. start, stop and now are wall-clock seconds of that instance; 0: never.
export interface Copy {
  identifier: string;
  group: string;
  name: string;
  statename: ProcessState;
  start: number;
  stop: number;
  now: number;
  pid: number;
  description: string;
  spawnerr: string;
  expected: boolean;
  disabled: boolean;
  extra_args: string;
  program_name: string;
  process_index: number;
  has_stdout: boolean;
  has_stderr: boolean;
  reason?: string;
  why?: string;
}

export type Level = "info" | "warning" | "error";
export type TimelineKind = "process" | "instance" | "application" | "cluster" | "death" | "resource" | "daemon";

export interface TimelineEntry {
  serial: number;
  at: number;
  level: Level;
  kind: TimelineKind;
  identifier: string;
  application_name?: string;
  process_name?: string;
  text: string;
}

export interface Gone {
  kind: "instance" | "application" | "process" | "copy";
  identifier?: string;
  application_name?: string;
  process_name?: string;
}

export type Message =
  | ["hello", Hello]
  | ["supvisors", Supvisors]
  | ["instance", Instance]
  | ["application", Application]
  | ["process", Process]
  | ["copy", Copy]
  | ["gone", Gone]
  | ["timeline", TimelineEntry]
  | ["conflicts", { namespecs: string[] }]
  | ["ready", object]
  | ["beat", object]; // svisord is there, and has nothing to tell

// "web" when its group has the same name, as everywhere in Supervisor; "group:web" otherwise.
export function namespecOf(group: string, name: string): string {
  return group === name ? name : `${group}:${name}`;
}

export function splitNamespec(namespec: string): [group: string, name: string] {
  const colon = namespec.indexOf(":");
  return colon < 0 ? [namespec, namespec] : [namespec.slice(0, colon), namespec.slice(colon + 1)];
}

// The key of a process in all tables: always with its group.
export function fullName(group: string, name: string): string {
  return `${group}:${name}`;
}

export function isUp(state: ProcessState): boolean {
  return state === "RUNNING" || state === "STARTING" || state === "BACKOFF";
}
export function canStart(state: ProcessState): boolean {
  return state === "STOPPED" || state === "EXITED" || state === "FATAL" || state === "UNKNOWN";
}
export function isCrash(state: ProcessState, expected: boolean): boolean {
  return state === "FATAL" || state === "BACKOFF" || (state === "EXITED" && !expected);
}
