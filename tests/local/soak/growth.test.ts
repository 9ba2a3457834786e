import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { QUANTITIES, type QuantityName } from "../../../local/soak/census.ts";
import { growthOf } from "../../../local/soak/growth.ts";
import { samplesOf } from "./evidence.ts";

const NAMES = Object.keys(QUANTITIES) as QuantityName[];

describe("Growth over a soak", () => {
  it("is none when nothing changes", () => {
    const growth = growthOf(samplesOf(20, 100, {}), 100);
    assert.deepEqual(
      growth?.map(({ name, grew }) => [name, grew]),
      NAMES.map((name) => [name, false]),
    );
  });

  for (const name of NAMES) {
    const { allowance } = QUANTITIES[name];
    it(`of ${name} is up to ${allowance} between the medians of the second and of the last quarter, and no more`, () => {
      const rise = (most: number) => samplesOf(20, 100, { [name]: (rotation: number) => (rotation > 75 ? most : 0) });
      const grown = (most: number) =>
        growthOf(rise(most), 100)
          ?.filter(({ grew }) => grew)
          .map((one) => one.name);
      assert.deepEqual(grown(allowance), []);
      assert.deepEqual(grown(allowance + 0.01), [name]);
    });
  }

  it("is seen of one listener in ten rotations", () => {
    const growth = growthOf(samplesOf(20, 100, { listeners: (rotation) => Math.floor(rotation / 10) }), 100);
    assert.deepEqual(
      growth?.filter(({ grew }) => grew).map(({ name, before, after }) => [name, before, after]),
      [["listeners", 104, 109]],
    );
  });

  it("leaves out the first quarter, in which a process warms up, and is not misled by two unlucky samples of five", () => {
    const warm = samplesOf(20, 100, { heapMiB: (rotation) => (rotation <= 25 ? -50 : 0) });
    const unlucky = samplesOf(20, 100, { sockets: (rotation) => (rotation >= 95 ? 40 : 0) });
    for (const samples of [warm, unlucky]) assert.equal(growthOf(samples, 100)?.filter(({ grew }) => grew).length, 0);
  });

  it("is no judgement about what shrinks, and one against what could not be counted", () => {
    const shrinking = samplesOf(20, 100, { emitters: (rotation) => -rotation });
    assert.equal(growthOf(shrinking, 100)?.filter(({ grew }) => grew).length, 0);
    const unknown = samplesOf(20, 100, { timers: () => Number.NaN });
    assert.deepEqual(
      growthOf(unknown, 100)
        ?.filter(({ grew }) => grew)
        .map(({ name }) => name),
      ["timers"],
    );
  });

  it("can be told of two samples of a short run, and not without one in either quarter", () => {
    const [one, other] = samplesOf(1, 2, {}).concat(samplesOf(1, 5, { backends: () => 1 }));
    assert.ok(one && other);
    assert.deepEqual(
      growthOf([one, other], 5)
        ?.filter(({ grew }) => grew)
        .map(({ name }) => name),
      ["backends"],
    );
    assert.equal(growthOf([one], 5), undefined);
    assert.equal(growthOf([other], 5), undefined);
    assert.equal(growthOf([], 5), undefined);
  });
});
