import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { figure, median, pairedRatios, quantile, spreadOf, spreadText } from "../../bench/statistics.ts";

const samples = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 });

describe("The statistics of the benchmarks", () => {
  it("take the middle, and the mean of the middle two of an even number", () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([7]), 7);
  });

  it("find the 99th percentile by nearest rank: the 99th of a hundred, the last of ten", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.equal(quantile(hundred, 0.99), 99);
    assert.equal(quantile(hundred, 0.5), 50);
    assert.equal(quantile(hundred.slice(0, 10), 0.99), 100);
    assert.equal(quantile(hundred, 0), 1);
    assert.equal(quantile(hundred, 1), 100);
  });

  it("refuse a share that is none", () => {
    for (const share of [-0.1, 1.1, 99, Number.NaN])
      assert.throws(() => quantile([1], share), {
        name: "RangeError",
        message: `the share is ${share}: it must be from 0 to 1`,
      });
  });

  it("say nothing about no samples, and a dash where a figure would stand", () => {
    const { median, least, most, count } = spreadOf([]);
    assert.deepEqual([median, least, most, count], [Number.NaN, Number.NaN, Number.NaN, 0]);
    assert.equal(spreadText(spreadOf([])), "–");
  });

  it("leave the samples in their order", () => {
    const given = [3, 1, 2];
    spreadOf(given);
    assert.deepEqual(given, [3, 1, 2]);
  });

  it("hold every quantile to be one of the samples, growing with the share, between least and most", () => {
    fc.assert(
      fc.property(
        samples,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, a, b) => {
          const [low, high] = [quantile(given, Math.min(a, b)), quantile(given, Math.max(a, b))];
          const { least, most } = spreadOf(given);
          return given.includes(low) && least <= low && low <= high && high <= most;
        },
      ),
    );
  });

  it("compare round with round, so that a slow round is no slow contender", () => {
    // The second round ran at half speed for both.
    assert.deepEqual(pairedRatios([90, 45, 90], [100, 50, 100]), [0.9, 0.9, 0.9]);
    assert.throws(() => pairedRatios([1, 2], [1]), /^RangeError: 2 samples cannot be paired with 1 of the baseline$/);
  });

  it("write three digits, and the range beside the median", () => {
    assert.deepEqual([12345.6, 123.4, 12.34, 1.234, 0.0456, -0.9].map(figure), [
      "12346",
      "123",
      "12.3",
      "1.23",
      "0.046",
      "-0.900",
    ]);
    assert.equal(spreadText(spreadOf([2, 1, 4])), "2.00 (1.00–4.00)");
  });
});
