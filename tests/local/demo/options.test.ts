import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { UsageError } from "../../../local/command.ts";
import { parseDemoOptions } from "../../../local/demo/options.ts";

describe("The demonstration's options", () => {
  it("default to three rotations in 24 seconds at 200 requests a second", () => {
    assert.deepEqual(parseDemoOptions([]), {
      stack: "production",
      rotations: 3,
      seconds: 24,
      rate: 200,
      windowMs: 2_000,
      staticPassword: false,
      help: false,
    });
  });

  it("are taken as they are given", () => {
    const args = "--stack staging --rotations 2 --seconds 30 --rate 50 --window 500 --static-password".split(" ");
    const expected = {
      stack: "staging",
      rotations: 2,
      seconds: 30,
      rate: 50,
      windowMs: 500,
      staticPassword: true,
      help: false,
    };
    assert.deepEqual(parseDemoOptions(args), expected);
  });

  const refused: readonly [args: string, message: RegExp][] = [
    ["--rate 0", /--rate 0; allowed: a whole number from 1 to 1000/],
    ["--rate 1001", /--rate 1001; allowed/],
    ["--rate=", /--rate ; allowed/],
    ["--rotations 1.5", /--rotations 1\.5; allowed: a whole number from 1 to 20/],
    ["--seconds 1e9", /--seconds 1e9; allowed: a whole number from 5 to 600/],
    ["--window soon", /--window soon; allowed: a whole number from 100 to 20000/],
    ["--rotations 20", /--seconds 24; allowed: 120 or more with --rotations 20 and --window 2000/],
    ["--unknown", /--unknown/],
    ["extra", /extra/],
    ["--stack", /--stack/],
  ];
  for (const [args, message] of refused) {
    it(`refuse ${args} with what is allowed`, () => {
      assert.throws(
        () => parseDemoOptions(args.split(" ")),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }

  it("tell every mistake at once", () => {
    assert.throws(
      () => parseDemoOptions(["--rate", "x", "--seconds", "y"]),
      (error) => error instanceof UsageError && /--rate x/.test(error.message) && /--seconds y/.test(error.message),
    );
  });
});
