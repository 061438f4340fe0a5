import assert from "node:assert/strict";
import test from "node:test";
import { Clock, summaryOf } from "./series";

test("a straight line has its slope, and no more spread than that", () => {
  const found = summaryOf([1, 3, 5, 7])!;
  assert.equal(found.mean, 4);
  assert.equal(found.slope, 2);
  assert.equal(found.intercept, 1);
  assert.equal(found.last, 7);
  assert.equal(found.before, 5);
  assert.equal(found.deviation.toFixed(4), "2.5820");
});

test("one measure is its own mean, and none says nothing", () => {
  assert.deepEqual(summaryOf([4]), { last: 4, before: 4, mean: 4, slope: 0, intercept: 4, deviation: 0 });
  assert.equal(summaryOf([]), null);
});

test("measures are put on the clock by the answer that came soonest after one", () => {
  const clock = new Clock();
  assert.deepEqual(clock.times([5, 10], 1014), [1009, 1014]);
  assert.deepEqual(clock.times([5, 10, 15], 1015.5), [1005.5, 1010.5, 1015.5]);
  assert.deepEqual(clock.times([5, 10, 15], 1018), [1005.5, 1010.5, 1015.5]);
});

test("a run that began anew has another beginning", () => {
  const clock = new Clock();
  clock.times([5, 10, 15], 1015);
  assert.deepEqual(clock.times([5], 1105), [1105]);
});
