import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { UsageError } from "../../../local/command.ts";
import { legsOf, loadSeconds, parseSoakOptions, spareRotations } from "../../../local/soak/options.ts";

const DEFAULTS = { stack: "production", rotations: 100, rate: 50, windowMs: 600, faults: false };

describe("The soak's options", () => {
  it("default to a hundred rotations at 50 requests a second, which take some three minutes of load", () => {
    assert.deepEqual(parseSoakOptions([]), DEFAULTS);
    assert.equal(loadSeconds(DEFAULTS), 190);
  });

  it("are taken as they are given", () => {
    const args = "--stack staging --rotations 8 --rate 70 --window 300 --faults".split(" ");
    const expected = { stack: "staging", rotations: 8, rate: 70, windowMs: 300, faults: true };
    assert.deepEqual(parseSoakOptions(args), expected);
    assert.equal(parseSoakOptions(["--help"]), "help");
  });

  it("leave more time between rotations when faults come there", () => {
    assert.ok(loadSeconds({ ...DEFAULTS, faults: true }) > loadSeconds(DEFAULTS));
  });

  const refused: readonly [args: string, message: RegExp][] = [
    ["--rotations 3", /--rotations 3; allowed: a whole number from 4 to 500/],
    ["--rotations 1e9", /--rotations 1e9; allowed/],
    ["--rate 0", /--rate 0; allowed: a whole number from 1 to 1000/],
    ["--rate=", /--rate ; allowed/],
    ["--window 99", /--window 99; allowed: a whole number from 100 to 5000/],
    ["--window soon", /--window soon; allowed/],
    ["--seconds 3", /--seconds/],
    ["extra", /extra/],
  ];
  for (const [args, message] of refused) {
    it(`refuse ${args} with what is allowed`, () => {
      assert.throws(
        () => parseSoakOptions(args.split(" ")),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }

  it("tell every mistake at once", () => {
    assert.throws(
      () => parseSoakOptions(["--rate", "x", "--window", "y"]),
      (error) => error instanceof UsageError && /--rate x/.test(error.message) && /--window y/.test(error.message),
    );
  });
});

describe("The legs of a soak", () => {
  for (const rotations of [4, 5, 19, 20, 21, 37, 100, 500]) {
    it(`of ${rotations} rotations are that many together, and end in the second and in the last quarter`, () => {
      const legs = legsOf({ rotations });
      const ends = legs.map((_, index) => legs.slice(0, index + 1).reduce((sum, leg) => sum + leg, 0));
      assert.equal(ends.at(-1), rotations);
      assert.ok(legs.every((leg) => leg >= 1));
      const quarters = new Set(ends.map((end) => Math.ceil((end * 4) / rotations)));
      assert.ok(quarters.has(2) && quarters.has(4), `${ends}`);
    });
  }

  it("may be followed by more, of a fifth of the rotations together, for those that nobody felt", () => {
    assert.equal(spareRotations({ rotations: 100 }), 20);
    assert.equal(spareRotations({ rotations: 5 }), 5);
  });
});
