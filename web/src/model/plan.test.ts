import assert from "node:assert/strict";
import test from "node:test";
import { conflictOf, effectOf, keptBy } from "./conflicts";
import { certificateFacts, isHarmless, senderInWords } from "./deaths";
import { instanceStops, loadChanges, placesBesides, planOf, stopSteps } from "./plan";
import type { Prediction, Step } from "./plan";
import { expectation, placesInWords } from "./rules";
import { Tables, Writer } from "./store";
import type { Copy, Instance, Process, ProcessRules, ProcessState } from "./types";

const rules = (more: Partial<ProcessRules>): ProcessRules => ({
  start_sequence: 1, stop_sequence: 1, required: false, wait_exit: false, expected_loading: 0,
  starting_failure_strategy: "ABORT", running_failure_strategy: "RESTART_PROCESS", identifiers: ["*"], ...more,
});

function world() {
  const tables = new Tables();
  const writer = new Writer(tables, () => undefined);
  for (const [id, node, loading] of [["a", "n1", 40], ["b", "n1", 10], ["c", "n2", 0]] as const)
    writer.apply(["instance", { identifier: id, nick_identifier: id.toUpperCase(), node_name: node, port: 1, statename: "RUNNING", loading, process_failure: false } as Instance]);
  const put = (name: string, more: Partial<ProcessRules>, where: string[], start = 100) => {
    const state: ProcessState = where.length ? "RUNNING" : "STOPPED";
    writer.apply(["process", { application_name: "shop", process_name: name, statename: state, expected_exit: true, identifiers: where, extra_args: "", rules: rules(more) } as Process]);
    for (const identifier of ["a", "b", "c"]) {
      const isUp = where.includes(identifier);
      writer.apply(["copy", { identifier, group: "shop", name, statename: isUp ? "RUNNING" : "STOPPED", start: isUp ? start-- : 0, program_name: name, process_index: 0, disabled: false } as Copy]);
    }
  };
  return { tables, put };
}

const names = (steps: Step[]) => steps.map((step) => `${step.title}: ${step.moves.map((move) => `${move.namespec}@${move.where.join("+")}`).join(" ")}`);
const prediction = (process_name: string, where: string[], more: Partial<Prediction> = {}): Prediction => ({
  application_name: "shop", process_name, state: where.length ? "RUNNING" : "FATAL", forced_reason: "", running_identifiers: where, started_identifiers: where, why: "", ...more,
});

test("what runs stops by its stop sequence, the highest first", () => {
  const { tables, put } = world();
  put("db", { stop_sequence: 1 }, ["a"]);
  put("web", { stop_sequence: 3 }, ["b"]);
  put("app", { stop_sequence: 3 }, ["c"]);
  put("job", { stop_sequence: 9 }, []);
  assert.deepEqual(names(stopSteps(tables, tables.processes.values())), ["3: shop:app@c shop:web@b", "1: shop:db@a"]);
});

test("what is predicted is shown by its start sequence, and what finds no place with why", () => {
  const { tables, put } = world();
  put("db", { start_sequence: 1, expected_loading: 30 }, ["a"]);
  put("init", { start_sequence: 2, wait_exit: true, expected_loading: 50 }, []);
  put("big", { start_sequence: 3, expected_loading: 90 }, []);
  const told = [
    prediction("big", [], { why: "not started, no place for it: A refused: load 40 + 90 > 100; C refused: it is STOPPED" }),
    prediction("init", [], { state: "EXITED", started_identifiers: ["c"] }),
    prediction("db", ["b"]),
  ];
  const plan = planOf(tables, stopSteps(tables, tables.processes.values()), told);
  assert.deepEqual(names(plan.starts), ["1: shop:db@b", "2: shop:init@c"]);
  assert.deepEqual(plan.unplaced.map((move) => move.why), ["A refused: load 40 + 90 > 100; C refused: it is STOPPED"]);
  // db moves from a to b; init ends again and weighs nothing; a and b share a node.
  assert.deepEqual(plan.loads.map((one) => [one.name, one.before, one.after]), [["A", 40, 10], ["B", 10, 40], ["C", 0, 0], ["n1", 50, 50]]);
});

test("an instance that ends stops all that runs there, and may only lead what is allowed elsewhere", () => {
  const { tables, put } = world();
  put("db", { expected_loading: 30, identifiers: ["a", "c"] }, ["a"]);
  put("web", {}, ["b"]);
  const plan = instanceStops(tables, "a");
  assert.deepEqual(names(plan.stops), [": shop:db@a"]);
  assert.deepEqual(placesBesides(tables, "shop:db", "a"), ["c"]);
  assert.deepEqual(placesBesides(tables, "shop:web", "b"), ["a", "c"]);
  assert.deepEqual(loadChanges(tables, [], []), []);
});

test("the newest and the oldest copy are told by their uptime, equals by the order of instances", () => {
  const { tables, put } = world();
  put("db", {}, ["a", "b", "c"]);
  const up: Record<string, number> = { a: 50, b: 5, c: 5 };
  const conflict = conflictOf(tables, "shop:db", (copy) => up[copy.identifier] ?? 0);
  assert.deepEqual(conflict.copies.map((one) => [one.copy.identifier, one.age]), [["a", "oldest"], ["b", "newest"], ["c", "between"]]);
  assert.equal(keptBy("SENICIDE", conflict)?.identifier, "b");
  assert.equal(keptBy("INFANTICIDE", conflict)?.identifier, "a");
  assert.equal(keptBy("STOP", conflict), undefined);
  const plan = effectOf("SENICIDE", [conflict], (one) => one.toUpperCase());
  assert.deepEqual(plan.stops[0]?.moves.map((move) => move.where[0]), ["a", "c"]);
  assert.deepEqual(plan.notes, ["shop:db goes on at B."]);
  assert.equal(/started again.*RESTART_PROCESS/.test(effectOf("RUNNING_FAILURE", [conflict], String).notes[0] ?? ""), true);
});

test("a process is missed only while its application is up and its rules start it", () => {
  assert.equal(expectation("FATAL", true, rules({}), true), "should run");
  assert.equal(expectation("EXITED", true, rules({ wait_exit: true }), true), "");
  assert.equal(expectation("EXITED", false, rules({ wait_exit: true }), true), "should have ended well");
  assert.equal(expectation("STOPPED", true, rules({ start_sequence: 0 }), true), "");
  assert.equal(expectation("STOPPED", true, rules({}), false), "");
  assert.equal(placesInWords(["b", "*"], (one) => one.toUpperCase()), "B, every other one");
});

test("a certificate tells who did it, and leaves out what is not known", () => {
  const killed = { summary: "", text: "", cause: "OUTSIDE", signal_name: "SIGKILL", sender_signal_name: "SIGKILL", sender_pid: 12, sender_command: "bash", sender_user: "alice", lived_ms: 1500 };
  assert.equal(senderInWords(killed), "SIGKILL from bash, pid 12, user alice");
  assert.deepEqual(certificateFacts(killed), [{ name: "Lived", value: "1s" }, { name: "How", value: "SIGKILL" }, { name: "By whom", value: "SIGKILL from bash, pid 12, user alice" }]);
  assert.equal(senderInWords({ summary: "", text: "", cause: "CRASHED", sender_signal_name: "SIGSEGV", sender_code: 1 }), "SIGSEGV from the kernel");
  assert.equal(senderInWords({ summary: "", text: "", cause: "OUTSIDE", sender_signal_name: "SIGTERM", sender_code: 0 }), "SIGTERM from somebody");
  assert.equal(isHarmless(killed), false);
  assert.equal(isHarmless({ summary: "", text: "", cause: "EXITED", exit_code: 0 }), true);
  const oom = certificateFacts({ summary: "", text: "", cause: "OOM", oom_scope: "OWN", oom_limit_bytes: 64 << 20, oom_command: "python3", oom_victim: 7 });
  assert.deepEqual(oom, [{ name: "Out of memory", value: "its own limit of 64 MB was reached; the kernel chose python3, pid 7" }]);
});
