import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Capacity, capacityMistake, proxyShare } from "../../infra/capacity.ts";

const ENOUGH: Capacity = {
  maxTasks: 6,
  poolSize: 10,
  maxConnections: 200,
  proxyMaxConnectionsPercent: 60,
  oversubscription: 1,
};

describe("The capacity", () => {
  it("suffices to the last connection of the proxy's share", () => {
    assert.equal(capacityMistake(ENOUGH), undefined);
  });

  it("is refused one connection beyond, with the arithmetic and the three numbers that could change", () => {
    assert.equal(
      capacityMistake({ ...ENOUGH, maxConnections: 199 }),
      "the service may open more connections than the proxy may: 6 tasks x 10 connections x 2 during a rolling deployment = 120, " +
        "but 60 % of 199 max_connections = 119, x 1 oversubscription = 119. Change maxTasks (6), poolSize (10) or maxConnections " +
        "(199); poolOversubscription trusts the proxy's multiplexing instead",
    );
  });

  const DECISIONS: readonly (readonly [says: string, change: Partial<Capacity>, enough: boolean])[] = [
    ["one task more", { maxTasks: 7 }, false],
    ["one connection more in each pool", { poolSize: 11 }, false],
    ["a smaller share", { proxyMaxConnectionsPercent: 59 }, false],
    ["twice the tasks, each database connection shared by two", { maxTasks: 12, oversubscription: 2 }, true],
    ["one task beyond what sharing offers", { maxTasks: 13, oversubscription: 2 }, false],
  ];
  for (const [says, change, enough] of DECISIONS) {
    it(`${enough ? "suffices" : "does not suffice"} for ${says}`, () => {
      assert.equal(capacityMistake({ ...ENOUGH, ...change }) === undefined, enough);
    });
  }

  it("counts a share as AWS does, rounded down", () => {
    assert.equal(proxyShare({ maxConnections: 199, proxyMaxConnectionsPercent: 60 }), 119);
    assert.equal(proxyShare({ maxConnections: 20, proxyMaxConnectionsPercent: 1 }), 0);
  });
});
