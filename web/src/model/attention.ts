// What needs somebody's attention now: for each row its finding, or null. Words that depend on other rows are made when they
// are shown (`words`), so that a change of those costs nothing here.
import { isCrash, namespecOf } from "./types";
import type { Application, Copy, Instance, Process, ProcessState } from "./types";
import type { Tables } from "./store";
import { list, reasonOf } from "./words";

export interface Attention {
  level: "error" | "warning";
  kind: "instance" | "application" | "process" | "conflict";
  title: string; // what it is about: a name
  state: string; // one word
  href: string;
  words: (tables: Tables) => string;
}

export const hrefs = {
  instance: (identifier: string) => `#/instances/${encodeURIComponent(identifier)}`,
  application: (name: string) => `#/applications/${encodeURIComponent(name)}`,
  process: (namespec: string) => `#/processes/${encodeURIComponent(namespec)}`,
  conciliation: "#/conciliation",
};

export function attentionOfInstance(instance: Instance): Attention | null {
  const state = instance.statename;
  if (state !== "FAILED" && state !== "ISOLATED" && state !== "STOPPED") return null;
  const fallback = { FAILED: "It is not heard any more.", ISOLATED: "The others do not talk to it.", STOPPED: "It is not heard." };
  return {
    level: state === "STOPPED" ? "warning" : "error",
    kind: "instance",
    title: instance.nick_identifier || instance.identifier,
    state,
    href: hrefs.instance(instance.identifier),
    words: () => reasonOf(instance.why || fallback[state]),
  };
}

// The required processes that do not run, and the others: what the flags of the application come from.
function failureWords(tables: Tables, application: Application): string {
  const missing: string[] = [];
  const failed: string[] = [];
  for (const process of tables.processesOf.get(application.application_name)?.values() ?? []) {
    const state = process.statename; // what counts as a failure: docs/applications.md
    const isMissing = state === "FATAL" || state === "UNKNOWN" || state === "STOPPED" || (state === "EXITED" && !process.expected_exit);
    if (isMissing && process.rules?.required) missing.push(process.process_name);
    else if (isCrash(process.statename, process.expected_exit)) failed.push(process.process_name);
  }
  const parts = [];
  if (missing.length) parts.push(`Required and not running: ${list(missing)}`);
  if (failed.length) parts.push(`${missing.length ? "failed" : "Failed"}: ${list(failed)}`);
  if (!parts.length && application.rules?.status_formula) parts.push(`Status formula: ${application.rules.status_formula}`);
  return parts.join("; ") || (application.major_failure ? "A major failure." : "A minor failure.");
}

export function attentionOfApplication(application: Application): Attention | null {
  if (!application.major_failure && !application.minor_failure) return null;
  return {
    level: application.major_failure ? "error" : "warning",
    kind: "application",
    title: application.application_name,
    state: application.major_failure ? "MAJOR FAILURE" : "MINOR FAILURE",
    href: hrefs.application(application.application_name),
    words: (tables) => failureWords(tables, application),
  };
}

// The own instance says why itself; of the others we have the last death, and what Supervisor would say.
export function whyOf(tables: Tables, copy: Copy): string {
  return reasonOf(copy.why || tables.deathOf(copy) || copy.spawnerr || copy.description || "No reason is known.");
}

function crash(namespec: string, state: ProcessState, words: Attention["words"]): Attention {
  return { level: state === "BACKOFF" ? "warning" : "error", kind: "process", title: namespec, state, href: hrefs.process(namespec), words };
}

export function attentionOfCopy(copy: Copy): Attention | null {
  if (!isCrash(copy.statename, copy.expected)) return null;
  return crash(namespecOf(copy.group, copy.name), copy.statename, (tables) => whyOf(tables, copy));
}

// Of the copies, the one that says why: the one that has failed last.
function failedCopy(tables: Tables, key: string): Copy | undefined {
  let found: Copy | undefined;
  for (const copy of tables.copiesOf.get(key)?.values() ?? [])
    if (isCrash(copy.statename, copy.expected) && (!found || copy.stop > found.stop)) found = copy;
  return found;
}

export function attentionOfProcess(key: string, process: Process): Attention | null {
  if (!isCrash(process.statename, process.expected_exit)) return null;
  return crash(namespecOf(process.application_name, process.process_name), process.statename, (tables) => {
    const copy = failedCopy(tables, key);
    if (!copy) return reasonOf(process.why || "No reason is known.");
    return `At ${tables.nick(copy.identifier)}: ${whyOf(tables, copy)}`;
  });
}

export function attentionOfConflict(namespec: string): Attention {
  return {
    level: "error",
    kind: "conflict",
    title: namespec,
    state: "CONFLICT",
    href: hrefs.conciliation,
    words: (tables) => {
      const process = tables.processes.get(tables.keyOf(namespec));
      const places = process?.identifiers.map((one) => tables.nick(one)).join(" and ");
      return places ? `It runs at ${places}.` : "It runs in more than one instance.";
    },
  };
}

const ORDER = { conflict: 0, instance: 1, application: 2, process: 3 };

// Errors first; then conflicts, instances, applications, processes; then by name.
export function sortedAttention(tables: Tables): Attention[] {
  return [...tables.attention.values()].sort((a, b) => {
    if (a.level !== b.level) return a.level === "error" ? -1 : 1;
    if (a.kind !== b.kind) return ORDER[a.kind] - ORDER[b.kind];
    return a.title < b.title ? -1 : a.title > b.title ? 1 : 0;
  });
}
