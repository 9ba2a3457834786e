import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { proxySettings, proxySubnets } from "../../../infra/proxy/arguments.ts";

describe("The settings of a proxy", () => {
  it("have the safe defaults where nothing is said", () => {
    assert.deepEqual(proxySettings({}), {
      maxConnectionsPercent: 60,
      borrowTimeoutSeconds: 30,
      idleClientTimeoutSeconds: 1_800,
      logRetentionDays: 365,
    });
  });

  it("take the ends of each range", () => {
    for (const settings of [
      { maxConnectionsPercent: 1, borrowTimeoutSeconds: 0, idleClientTimeoutSeconds: 60, logRetentionDays: 1 },
      {
        maxConnectionsPercent: 100,
        borrowTimeoutSeconds: 3_600,
        idleClientTimeoutSeconds: 28_800,
        logRetentionDays: 3_653,
      },
    ]) {
      assert.deepEqual(proxySettings(settings), settings);
    }
  });

  it("name every mistake at once, with its value and what is allowed", () => {
    const wrong = {
      maxConnectionsPercent: 0,
      borrowTimeoutSeconds: 3_601,
      idleClientTimeoutSeconds: 59.5,
      logRetentionDays: Number.NaN,
    };
    assert.throws(() => proxySettings(wrong), {
      message:
        "DatabaseProxy: maxConnectionsPercent is 0; allowed: a whole number from 1 to 100; " +
        "borrowTimeoutSeconds is 3601; allowed: a whole number from 0 to 3600; " +
        "idleClientTimeoutSeconds is 59.5; allowed: a whole number from 60 to 28800; " +
        "logRetentionDays is NaN; allowed: a whole number from 1 to 3653",
    });
  });
});

describe("The subnets of a proxy", () => {
  it("are two or more", () => {
    assert.deepEqual(proxySubnets(["subnet-1", "subnet-2"]), ["subnet-1", "subnet-2"]);
    for (const one of [[], ["subnet-1"], ["subnet-1", "subnet-1"]]) {
      assert.throws(() => proxySubnets(one), /subnetIds are \[.*\]; allowed: two subnets or more, in different zones/);
    }
  });
});
