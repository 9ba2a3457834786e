import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { definitionOf, FAULT_NAMES } from "../../../local/faults/catalogue.ts";
import { FaultError } from "../../../local/faults/error.ts";
import { readFaultRequest } from "../../../local/faults/request.ts";

/** What is said of a request that makes no sense. */
function refusalOf(request: unknown): string {
  try {
    readFaultRequest(request);
  } catch (error) {
    assert.ok(error instanceof FaultError);
    assert.equal(error.code, "INVALID_FAULT");
    return error.message;
  }
  return assert.fail(`${JSON.stringify(request)} was taken`);
}

describe("A request for a fault", () => {
  it("names one of these faults", () => {
    assert.deepEqual(FAULT_NAMES, [
      "refuse-connections",
      "black-hole",
      "latency",
      "drop-every-connection",
      "restart-database",
      "restart-proxy",
      "failover",
      "expire-credentials",
      "slow-credentials",
      "throttle-credentials",
      "throttle-IAM",
      "revoke-grant",
      "stop-secret-access",
      "replace-CA",
      "clock-skew",
      "widen-rotation-window",
    ]);
  });

  for (const fault of FAULT_NAMES) {
    const { parameters, lastsMs } = definitionOf(fault);
    const defaults = Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => [name, parameter.default]),
    );

    it(`for ${fault} needs its name alone, and then has the defaults`, () => {
      assert.deepEqual(readFaultRequest({ fault }), { fault, parameters: defaults });
      assert.ok(lastsMs(defaults) <= 3_600_000);
    });

    for (const [name, { min, max }] of Object.entries(parameters)) {
      it(`for ${fault} takes ${name} from ${min} to ${max} and nothing beyond`, () => {
        for (const value of [min, max]) {
          assert.deepEqual(readFaultRequest({ fault, [name]: value }).parameters, { ...defaults, [name]: value });
          assert.ok(lastsMs({ ...defaults, [name]: value }) <= 3_600_000);
        }
        for (const value of [min - 1, max + 1, Number.NaN, String(min), null, true, [min]]) {
          const said = refusalOf({ fault, [name]: value });
          assert.match(said, new RegExp(`^${name} is .+; allowed: a number from ${min} to ${max} \\(`));
        }
      });
    }
  }

  it("is refused with every mistake in it, and with what is allowed instead", () => {
    assert.equal(
      refusalOf({ fault: "latency", durationMs: 0, ms: "5", seconds: 1, toString: 1 }),
      '"seconds" is no parameter of latency; it takes durationMs, ms; "toString" is no parameter of latency; it takes durationMs, ms; durationMs is 0; allowed: a number from 1 to 3600000 (milliseconds); ms is "5"; allowed: a number from 1 to 30000 (milliseconds).',
    );
    assert.equal(
      refusalOf({ fault: "drop-every-connection", durationMs: 5 }),
      '"durationMs" is no parameter of drop-every-connection; it takes none.',
    );
    assert.match(
      refusalOf({ fault: "failover", durationMs: 5 }),
      /^"durationMs" is no parameter of failover; it takes seconds\.$/,
    );
  });

  for (const fault of [undefined, "", "Latency", "toString", "__proto__", 7, null, ["latency"]]) {
    it(`is refused with every name there is when it names ${JSON.stringify(fault)}`, () => {
      const said = refusalOf({ fault });
      assert.equal(said, `fault is ${JSON.stringify(fault) ?? "undefined"}; allowed: ${FAULT_NAMES.join(", ")}.`);
    });
  }

  for (const request of [undefined, null, "latency", 7, [], ["latency"]]) {
    it(`is refused when it is ${JSON.stringify(request)}`, () => {
      assert.equal(refusalOf(request), 'a fault is asked for by an object such as {"fault": "latency", "ms": 50}.');
    });
  }
});
