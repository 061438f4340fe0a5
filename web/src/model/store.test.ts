// Tests of the store: node --test (make check).
import assert from "node:assert/strict";
import test from "node:test";
import { sortedAttention } from "./attention";
import { Store } from "./store";
import type { Kind } from "./store";
import type { Application, Copy, Hello, Instance, Message, Process, ProcessState } from "./types";

const hello = (cluster: boolean): Hello => ({
  protocol: 1, version: "0", identifier: "a", nick_identifier: "A", cluster, supervisor_identifier: "a", now: 1000,
  software_name: "", software_icon: false, css_files: [], synchro_options: [],
});
const instance = (identifier: string, statename: Instance["statename"], why = ""): Instance => ({
  identifier, nick_identifier: identifier.toUpperCase(), node_name: "n", port: 1, statename, loading: 0, process_failure: false, why,
});
const process = (name: string, statename: ProcessState, more: Partial<Process> = {}): Process => ({
  application_name: "shop", process_name: name, statename, expected_exit: true, identifiers: [], extra_args: "", ...more,
});
const copy = (identifier: string, name: string, statename: ProcessState, more: Partial<Copy> = {}): Copy => ({
  identifier, group: "shop", name, statename, start: 0, stop: 0, now: 0, pid: 0, description: "", spawnerr: "", expected: true, disabled: false,
  extra_args: "", program_name: name, process_index: 0, has_stdout: true, has_stderr: true, ...more,
});
const application = (more: Partial<Application> = {}): Application => ({
  application_name: "shop", managed: true, statename: "RUNNING", major_failure: false, minor_failure: false, ...more,
});

// A store that has read this snapshot, and the turn that tells its listeners.
function storeOf(cluster: boolean, ...messages: Message[]) {
  let turn = () => {};
  const store = new Store((next) => (turn = next), () => 1_000_000);
  for (const one of [["hello", hello(cluster)], ...messages, ["ready", {}]] as Message[]) store.apply(one);
  return { store, turn: () => turn() };
}
const titles = (store: Store) => sortedAttention(store.tables).map((one) => `${one.level} ${one.title} ${one.state}`);

test("a snapshot is shown when it is complete, and not before", () => {
  const { store } = storeOf(true, ["instance", instance("a", "RUNNING")]);
  store.apply(["hello", hello(true)]);
  store.apply(["instance", instance("b", "RUNNING")]);
  assert.deepEqual([...store.tables.instances.keys()], ["a"]);
  store.apply(["ready", {}]);
  assert.deepEqual([...store.tables.instances.keys()], ["b"]);
});

test("half a snapshot is nothing", () => {
  const { store } = storeOf(true, ["instance", instance("a", "RUNNING")]);
  store.apply(["hello", hello(true)]);
  store.dropSnapshot();
  store.apply(["instance", instance("c", "RUNNING")]);
  assert.deepEqual([...store.tables.instances.keys()], ["a", "c"]);
});

test("many changes are told once, with their kinds", () => {
  const { store, turn } = storeOf(true);
  turn();
  const told: Kind[][] = [];
  store.subscribe((kinds) => told.push([...kinds].sort()));
  for (let i = 0; i < 100; i++) store.apply(["copy", copy("a", `p${i}`, "RUNNING")]);
  store.apply(["instance", instance("a", "RUNNING")]);
  turn();
  assert.deepEqual(told, [["copy", "instance"]]);
});

test("the indexes follow what comes and what goes", () => {
  const { store } = storeOf(true, ["copy", copy("a", "web", "RUNNING")], ["copy", copy("b", "web", "STOPPED")], ["process", process("web", "RUNNING")]);
  const { tables } = store;
  assert.deepEqual([...tables.copiesOf.get("shop:web")!.keys()], ["a", "b"]);
  assert.deepEqual(tables.tallyAt.get("a"), { RUNNING: 1 });
  store.apply(["copy", copy("a", "web", "FATAL")]);
  assert.deepEqual(tables.tallyAt.get("a"), { FATAL: 1 });
  store.apply(["gone", { kind: "copy", identifier: "a", application_name: "shop", process_name: "web" }]);
  store.apply(["gone", { kind: "process", application_name: "shop", process_name: "web" }]);
  assert.equal(tables.copiesAt.has("a"), false);
  assert.equal(tables.processesOf.has("shop"), false);
  assert.equal(tables.copyCount, 1);
  assert.deepEqual(tables.tallyOf.get("shop"), {});
});

test("what needs attention is listed with the worst first, and leaves the list when it is well again", () => {
  const { store } = storeOf(
    true,
    ["process", process("web", "BACKOFF")],
    ["process", process("db", "EXITED", { expected_exit: false })],
    ["process", process("job", "EXITED")],
    ["instance", instance("b", "FAILED", "it was silent for 2 s")],
    ["instance", instance("c", "STOPPED")],
    ["conflicts", { namespecs: ["shop:api"] }],
    ["application", application({ major_failure: true })],
  );
  assert.deepEqual(titles(store), [
    "error shop:api CONFLICT", "error B FAILED", "error shop MAJOR FAILURE", "error shop:db EXITED", "warning C STOPPED", "warning shop:web BACKOFF",
  ]);
  store.apply(["process", process("web", "RUNNING")]);
  store.apply(["process", process("db", "RUNNING")]);
  store.apply(["instance", instance("b", "RUNNING")]);
  store.apply(["instance", instance("c", "RUNNING")]);
  store.apply(["conflicts", { namespecs: [] }]);
  store.apply(["application", application()]);
  assert.deepEqual(titles(store), []);
});

test("the words say why, from the copy that failed last", () => {
  const { store } = storeOf(
    true,
    ["instance", instance("b", "RUNNING")],
    ["process", process("web", "FATAL", { expected_exit: false })],
    ["copy", copy("a", "web", "FATAL", { stop: 5, spawnerr: "old" })],
    ["copy", copy("b", "web", "FATAL", { stop: 9, spawnerr: "can't find command" })],
  );
  assert.equal(sortedAttention(store.tables)[0]!.words(store.tables), "At B: Can't find command");
});

test("how a process of another instance ended is told by the timeline, if that is the end that counts", () => {
  const death = (at: number, text: string): Message => [
    "timeline", { serial: at, at, level: "error", kind: "death", identifier: "b", application_name: "shop", process_name: "web", text },
  ];
  const { store } = storeOf(
    true, ["instance", instance("b", "RUNNING")], ["process", process("web", "EXITED", { expected_exit: false })],
    ["copy", copy("b", "web", "EXITED", { stop: 100, expected: false, spawnerr: "Bad exit code -1" })], death(50, "of before"),
  );
  const words = () => sortedAttention(store.tables)[0]!.words(store.tables);
  assert.equal(words(), "At B: Bad exit code -1");
  store.apply(death(101, "killed by SIGKILL from bash (pid 7)"));
  assert.equal(words(), "At B: Killed by SIGKILL from bash (pid 7)");
});

test("an application says which required processes do not run", () => {
  const rules = { start_sequence: 1, stop_sequence: 1, required: true, wait_exit: false, expected_loading: 0, starting_failure_strategy: "", running_failure_strategy: "" };
  const { store } = storeOf(true, ["application", application({ major_failure: true })], ["process", process("web", "STOPPED", { rules })]);
  assert.equal(sortedAttention(store.tables)[0]!.words(store.tables), "Required and not running: web");
});

test("without a cluster the copies say what needs attention", () => {
  const { store } = storeOf(false, ["copy", copy("a", "web", "FATAL", { why: "it cannot be found" })]);
  assert.deepEqual(titles(store), ["error shop:web FATAL"]);
  assert.deepEqual(store.tables.tallyOf.get("shop"), { FATAL: 1 });
  store.apply(["gone", { kind: "copy", identifier: "a", application_name: "shop", process_name: "web" }]);
  assert.deepEqual(titles(store), []);
});

test("the timeline is bounded", () => {
  const { store } = storeOf(true);
  for (let serial = 1; serial <= 5000; serial++)
    store.apply(["timeline", { serial, at: 0, level: "info", kind: "daemon", identifier: "a", text: "" }]);
  assert.ok(store.tables.timeline.length <= 2200);
  assert.equal(store.tables.timeline.at(-1)!.serial, 5000);
});

test("a change of one of 10,000 rows costs what one of few costs", () => {
  const rows: Message[] = Array.from({ length: 10_000 }, (_, i) => ["copy", copy(`i${i % 10}`, `p${i}`, "RUNNING")]);
  const { store } = storeOf(true, ...rows);
  const begin = performance.now();
  for (let i = 0; i < 1000; i++) store.apply(["copy", copy(`i${i % 10}`, `p${i}`, "FATAL")]);
  const each = performance.now() - begin;
  console.log(`# 1,000 changes of 10,000 rows: ${each.toFixed(1)} ms`);
  assert.ok(each < 500, `1,000 changes took ${each} ms`);
});
