// Tests of the connection, with a socket and a clock that the test holds.
import assert from "node:assert/strict";
import test from "node:test";
import { Live, PAUSE_MAX_MS, PAUSE_MIN_MS, SILENCE_MAX_MS } from "./live";
import type { Socket } from "./live";
import { Store } from "./store";

const HELLO = { protocol: 1, version: "0", identifier: "a", nick_identifier: "A", cluster: false, supervisor_identifier: "a", now: 0, software_name: "", software_icon: false, css_files: [], synchro_options: [] };

function setting() {
  const sockets: (Socket & { isClosed: boolean })[] = [];
  const timers: { at: number; done: () => void }[] = [];
  const clock = { now: 1000 };
  const store = new Store((turn) => turn());
  const live = new Live(store, {
    open: () => {
      const socket = { onopen: null, onmessage: null, onclose: null, isClosed: false, close() { socket.isClosed = true; socket.onclose?.(); } } as Socket & { isClosed: boolean };
      sockets.push(socket);
      return socket;
    },
    now: () => clock.now,
    after: (milliseconds, done) => {
      const timer = { at: clock.now + milliseconds, done };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  });
  const say = (...message: unknown[]) => sockets.at(-1)!.onmessage!({ data: JSON.stringify(message) });
  const next = () => {
    const timer = timers.shift()!;
    clock.now = timer.at;
    timer.done();
  };
  return { sockets, timers, clock, store, live, say, next };
}

test("several messages in one are taken one after the other", () => {
  const { live, say, store } = setting();
  live.connect();
  say("hello", HELLO);
  say(["gone", { kind: "instance", identifier: "b" }], ["ready", {}]);
  assert.equal(live.link.state, "live");
  assert.equal(store.tables.hello?.identifier, "a");
});

test("it is live when the snapshot is complete", () => {
  const { live, say, store } = setting();
  live.connect();
  assert.equal(live.link.state, "connecting");
  say("hello", HELLO);
  assert.equal(live.link.state, "reading");
  say("ready", {});
  assert.equal(live.link.state, "live");
  assert.equal(store.isReady, true);
});

test("it says since when it is not connected, however often it tries", () => {
  const { live, say, sockets, clock, next } = setting();
  live.connect();
  say("hello", HELLO);
  say("ready", {});
  clock.now = 5000;
  sockets.at(-1)!.close();
  for (let i = 0; i < 4; i++) {
    next();
    sockets.at(-1)!.close();
  }
  assert.equal(live.link.state === "lost" && live.link.since, 5000);
});

test("the pauses grow to a bound, and begin anew after a connection that has worked", () => {
  const { live, say, sockets, timers, clock, next } = setting();
  live.connect();
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    sockets.at(-1)!.close();
    pauses.push(timers[0]!.at - clock.now);
    next();
  }
  assert.equal(pauses[0], PAUSE_MIN_MS);
  assert.equal(pauses.at(-1), PAUSE_MAX_MS);
  say("hello", HELLO);
  say("ready", {});
  sockets.at(-1)!.close();
  assert.equal(timers[0]!.at - clock.now, PAUSE_MIN_MS);
});

test("a message that cannot be read begins a new connection", () => {
  const { live, say, sockets, next } = setting();
  live.connect();
  say("hello", HELLO);
  sockets[0]!.onmessage!({ data: "[" });
  assert.equal(live.link.state, "lost");
  next();
  assert.equal(sockets.length, 2);
});

test("asking for it now calls the pause off, and never makes two connections", () => {
  const { live, sockets, timers } = setting();
  live.connect();
  sockets[0]!.close();
  live.connect();
  live.connect();
  assert.equal(sockets.length, 2);
  assert.equal(timers.length, 1); // for the silence of the new one
});

test("a connection on which nothing comes any more is given up; a beat is enough for it to stay", () => {
  const { live, say, sockets, clock, next } = setting();
  live.connect();
  say("hello", HELLO);
  say("ready", {});
  clock.now = 1000 + SILENCE_MAX_MS - 1;
  say("beat", {});
  next();
  assert.equal(live.link.state, "live");
  next();
  assert.deepEqual(live.link.state === "lost" && live.link.since, 1000 + SILENCE_MAX_MS - 1);
  assert.equal(sockets[0]!.isClosed, true);
  next();
  assert.equal(sockets.length, 2);
});

test("a connection that does not come about is tried again", () => {
  const { live, sockets, next } = setting();
  live.connect();
  next();
  assert.equal(live.link.state, "lost");
  next();
  assert.equal(sockets.length, 2);
});
