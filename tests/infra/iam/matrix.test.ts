import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { programOf } from "../declared-program.ts";
import { ALLOWED } from "./allowed.ts";
import { decide, EVERYTHING } from "./decide.ts";
import { type DeclaredPolicies, guardOf, readPolicies } from "./declared-policies.ts";
import { nearMisses } from "./near-misses.ts";
import { PROGRAMS, type Scene, sceneOf } from "./scene.ts";

for (const [says, evaluate] of PROGRAMS) {
  describe(`By the policies of ${says}`, () => {
    let policies: DeclaredPolicies;
    let scene: Scene;
    before(async () => {
      const program = await evaluate();
      policies = readPolicies(program);
      scene = sceneOf(program);
    });

    it("every resource with a policy of its own is one that the decisions are about", () => {
      const about = new Set(ALLOWED.map(({ asks }) => guardOf(policies, asks(scene).question.resource)));
      const guarded = [...policies.ofResources];
      assert.deepEqual(
        guarded.filter(([, policy]) => !about.has(policy)),
        [],
      );
      assert.equal(guarded.length, 10);
    });

    for (const { says, nearMisses: count, asks } of ALLOWED) {
      it(`${says}, and each of ${count} near misses is denied`, async () => {
        const asked = asks(scene);
        assert.equal(await decide(policies, asked.question), true, JSON.stringify(asked.question));
        const misses = nearMisses(scene, asked);
        assert.equal(misses.length, count);
        const different = new Set([asked, ...misses].map(({ question }) => JSON.stringify(question)));
        assert.equal(different.size, count + 1, "a near miss is asked twice, or is no miss");
        const answers = await Promise.all(misses.map(({ question }) => decide(policies, question)));
        assert.deepEqual(
          misses.filter((_, index) => answers[index]),
          [],
        );
      });
    }
  });
}

describe("The decisions on each program", () => {
  it("are 32 in favour and 876 near misses", () => {
    assert.equal(ALLOWED.length, 32);
    assert.equal(
      ALLOWED.reduce((sum, { nearMisses: count }) => sum + count, 0),
      876,
    );
  });

  it("would all be in favour if the policies were as wide as can be, so that no near miss is denied whatever they say", async () => {
    const program = await programOf("production");
    const policies = readPolicies(program);
    const toEveryone = { ...EVERYTHING, Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] };
    const open: DeclaredPolicies = {
      ...policies,
      roles: policies.roles.map((role) => ({ ...role, policies: [{ name: "open", policy: EVERYTHING }] })),
      ofResources: new Map([...policies.ofResources.keys()].map((arn) => [arn, toEveryone])),
    };
    const scene = sceneOf(program);
    const misses = ALLOWED.flatMap(({ asks }) => nearMisses(scene, asks(scene)));
    const answers = await Promise.all(misses.map(({ question }) => decide(open, question)));
    assert.deepEqual(
      misses.filter((_, index) => !answers[index]),
      [],
    );
  });
});
