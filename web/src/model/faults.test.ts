import assert from "node:assert/strict";
import test from "node:test";
import { inWords } from "./faults";

test("a fault says in words what it is about, and what to write instead", () => {
  const words: Record<string, string> = {
    "ALREADY_STARTED: shop:web": "shop:web runs already.",
    "BAD_SIGNAL: NOPE": "There is no signal NOPE: write a name such as HUP or USR1, or its number.",
    "NOT_RUNNING: web": "web does not run.",
    "NOT_RUNNING: processes=['shop:web', 'talk', 'bad']": "Not running: shop:web, talk and bad. The page of each says why.",
    "STILL_RUNNING: processes=['web']": "Still running: web.",
    "NO_FILE": "It has no file.",
    "NO_FILE: /var/log/web.log": "A file is missing: /var/log/web.log.",
    "ABNORMAL_TERMINATION: web": "web ended before it counted as started.",
    "ABNORMAL_TERMINATION: failed to start web": "Failed to start web. Its page says why.",
    "BAD_SUPVISORS_STATE: invalid Supvisors state=CONCILIATION - state expected in ['OPERATION']": "The cluster is in CONCILIATION, and this can be done in OPERATION only.",
    "BAD_SUPVISORS_STATE: invalid Supvisors state=OFF - state expected in ['OPERATION', 'CONCILIATION']": "The cluster is in OFF, and this can be done in OPERATION or CONCILIATION only.",
    "BAD_SUPVISORS_STATE: jobs in progress": "Not in this state of the cluster: jobs in progress.",
    "FAILED: out of memory": "out of memory",
    "what no fault says: as it is": "what no fault says: as it is",
  };
  for (const [fault, said] of Object.entries(words)) assert.equal(inWords(fault), said);
});
