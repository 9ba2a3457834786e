import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { programOf } from "../declared-program.ts";
import { EVERYTHING } from "./decide.ts";
import { type DeclaredPolicies, readPolicies } from "./declared-policies.ts";
import { ESCALATIONS } from "./escalations.ts";
import { PROGRAMS } from "./scene.ts";
import { type Principal, reach } from "./sweep.ts";

/** Those of the actions that the principal can do on something. */
async function possibleOf(
  policies: DeclaredPolicies,
  principal: Principal,
  actions: readonly string[],
): Promise<readonly string[]> {
  const resources = await Promise.all(actions.map((action) => reach(policies, principal, action)));
  return actions.filter((_, index) => (resources[index] ?? []).length > 0);
}

for (const [says, evaluate] of PROGRAMS) {
  describe(`By the policies of ${says} no role gets more than it was given`, () => {
    let policies: DeclaredPolicies;
    before(async () => {
      policies = readPolicies(await evaluate());
      assert.equal(policies.roles.length, 5);
    });

    for (const { how, actions } of ESCALATIONS) {
      it(how, async () => {
        for (const role of policies.roles) assert.deepEqual(await possibleOf(policies, role, actions), [], role.name);
      });
    }
  });
}

describe("The actions by which someone gets more than was given to them", () => {
  it("are 75, each listed once, with the source that tells of it", () => {
    const actions = ESCALATIONS.flatMap((escalation) => escalation.actions);
    assert.equal(new Set(actions).size, actions.length);
    assert.equal(actions.length, 75);
    assert.ok(ESCALATIONS.every(({ source }) => source.length > 0));
  });

  it("are all found with a role that may do everything", async () => {
    const policies = readPolicies(await programOf("production"));
    const [role] = policies.roles;
    assert.ok(role);
    const wide = { arn: role.arn, policies: [{ name: "wide", policy: EVERYTHING }] };
    const actions = ESCALATIONS.flatMap((escalation) => escalation.actions);
    assert.deepEqual(await possibleOf(policies, wide, actions), actions);
  });
});
