import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type FoundInstance, instanceMistakes } from "../../infra/existing-database.ts";

describe("An instance that exists", () => {
  const FOUND: FoundInstance = {
    dbInstanceIdentifier: "orders",
    engine: "postgres",
    masterUsername: "orders_admin",
    masterUserSecrets: [{ secretArn: "arn", kmsKeyId: "key", secretStatus: "active" }],
    vpcSecurityGroups: ["sg-1"],
  };
  const CASES: readonly (readonly [says: string, found: Partial<FoundInstance>, mistake: RegExp])[] = [
    ["Aurora", { engine: "aurora-postgresql" }, /^its engine is aurora-postgresql; allowed: postgres/],
    ["no managed secret", { masterUserSecrets: [] }, /^it has no managed master secret.*--manage-master-user-password/],
    ["another master user", { masterUsername: "root" }, /^its master user is "root", .* "orders_admin"; allowed/],
    ["several groups", { vpcSecurityGroups: ["sg-1", "sg-2"] }, /^its security groups are sg-1, sg-2, but .* not set/],
    ["no group", { vpcSecurityGroups: [] }, /^its security groups are none/],
  ];

  it("can stand behind a proxy", () => {
    assert.deepEqual(instanceMistakes(FOUND, "orders_admin", undefined), []);
    assert.deepEqual(instanceMistakes({ ...FOUND, vpcSecurityGroups: ["sg-1", "sg-2"] }, "orders_admin", "sg-2"), []);
  });

  for (const [says, found, mistake] of CASES) {
    it(`cannot with ${says}, and is told why`, () => {
      const [told, ...others] = instanceMistakes({ ...FOUND, ...found }, "orders_admin", undefined);
      assert.match(told ?? "", mistake);
      assert.deepEqual(others, []);
    });
  }
});
