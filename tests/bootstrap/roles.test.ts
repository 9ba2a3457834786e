import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { rolesOfStack } from "../../bootstrap/iam/stack-roles.ts";
import { rolePath } from "../../bootstrap/names.ts";
import { placeOf } from "../../local/place.ts";
import type { Program } from "../../local/program.ts";
import { ofType, only } from "../infra/declared-program.ts";
import { ACCOUNT, bootstrapOf, REGION, roleOf } from "./account.ts";

/** Characters that IAM takes, without white space ("IAM and AWS STS quotas"). */
const MANAGED_POLICY_LIMIT = 6_144;
const INLINE_POLICIES_LIMIT = 10_240;
const TRUST_LIMIT = 2_048;
/** Managed policies of a role, unless AWS is asked for more. */
const ATTACHMENT_LIMIT = 10;

const ROLES = ["staging-preview", "staging-deploy", "production-preview", "production-deploy"];

/** The longest names that are allowed, in a partition whose ARNs are long. */
const LONGEST: Readonly<Record<string, string>> = {
  "aws:region": "us-gov-west-1",
  project: "a".repeat(29),
  stacks: JSON.stringify(["b".repeat(24), "staging", "production"]),
  subjectPrefix: `repo:octo-org@${"9".repeat(15)}/shop@456789`,
};

function lengthOf(document: unknown): number {
  const text = String(document);
  assert.doesNotMatch(text, /\s/);
  return text.length;
}

const PROGRAMS: readonly (readonly [says: string, evaluate: () => Promise<Program>])[] = [
  ["as it comes", () => bootstrapOf()],
  ["with the longest names", () => bootstrapOf(LONGEST)],
];

for (const [says, evaluate] of PROGRAMS) {
  describe(`IAM takes what bootstrap declares ${says}:`, () => {
    it("managed policies, of which no role has too many", async () => {
      const program = await evaluate();
      const policies = ofType(program, "Policy").filter(({ type }) => type === "aws:iam/policy:Policy");
      assert.ok(policies.length >= 12);
      for (const { name, inputs } of policies) assert.ok(lengthOf(inputs.policy) <= MANAGED_POLICY_LIMIT, name);
      const roles = ofType(program, "RolePolicyAttachment").map(({ inputs }) => inputs.role);
      for (const role of roles) assert.ok(roles.filter((other) => other === role).length <= ATTACHMENT_LIMIT);
    });

    it("inline policies, together", async () => {
      const program = await evaluate();
      for (const { outputs, name } of ofType(program, "Role")) {
        const own = ofType(program, "RolePolicy").filter(({ inputs }) => inputs.role === outputs.name);
        const length = own.reduce((sum, { inputs }) => sum + lengthOf(inputs.policy), 0);
        assert.ok(length <= INLINE_POLICIES_LIMIT, `${name}: ${length}`);
      }
    });

    it("trusts and names", async () => {
      const program = await evaluate();
      for (const { inputs } of ofType(program, "Role")) {
        assert.ok(lengthOf(inputs.assumeRolePolicy) <= TRUST_LIMIT);
        assert.match(String(inputs.name), /^[\w+=,.@-]{1,64}$/);
      }
      assert.match(String(only(program, "Bucket").inputs.bucket), /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    });
  });
}

describe("The roles of bootstrap", () => {
  it("are two for each stack, outside of every stack's own path", async () => {
    const program = await bootstrapOf();
    const roles = ofType(program, "Role");
    assert.deepEqual(roles.map(({ name }) => name).sort(), [...ROLES].sort());
    for (const { outputs } of roles) {
      assert.match(String(outputs.arn), /:role\/passwordless-postgres-bootstrap\/passwordless-postgres-[a-z]+-[a-z]+$/);
    }
  });

  it("are bounded where they deploy, by a policy of their stack's alone", async () => {
    const program = await bootstrapOf();
    for (const stack of ["staging", "production"]) {
      const boundary = only(program, "Policy", `${stack}-deploy-boundary`).outputs.arn;
      assert.equal(only(program, "Role", `${stack}-deploy`).inputs.permissionsBoundary, boundary);
      assert.equal("permissionsBoundary" in only(program, "Role", `${stack}-preview`).inputs, false);
      assert.equal(roleOf(program, `${stack}-deploy`).boundary.length, 1);
    }
  });

  it("last an hour to preview and two to deploy", async () => {
    const program = await bootstrapOf();
    const lasting = ROLES.map((name) => only(program, "Role", name).inputs.maxSessionDuration);
    assert.deepEqual(lasting, [3_600, 7_200, 3_600, 7_200]);
  });

  it("deploy only when the boundary exists that they must put on every role", async () => {
    const program = await bootstrapOf();
    const boundary = only(program, "Policy", "production-workload-boundary");
    assert.ok(only(program, "Role", "production-deploy").dependencies.includes(boundary.urn));
    const boundaries = ["staging", "production"].map((stack) => [
      stack,
      only(program, "Policy", `${stack}-workload-boundary`).outputs.arn,
    ]);
    assert.deepEqual(program.outputs.permissionsBoundaryArns, Object.fromEntries(boundaries));
  });

  it("reach the roles under the stack's path", () => {
    const stack = { project: "passwordless-postgres", stack: "production" };
    assert.equal(rolePath(stack), "/passwordless-postgres/production/");
    const reached = rolesOfStack(stack, placeOf(REGION, ACCOUNT));
    assert.equal(reached, `arn:aws:iam::${ACCOUNT}:role/passwordless-postgres/production/*`);
  });

  it("are made for each stack that is configured, in a partition of its own rules", async () => {
    const program = await bootstrapOf({ "aws:region": "cn-north-1", stacks: '["alone"]' });
    assert.deepEqual(
      ofType(program, "Role").map(({ name }) => name),
      ["alone-preview", "alone-deploy"],
    );
    for (const { name, inputs } of program.resources)
      for (const document of [inputs.policy, inputs.assumeRolePolicy])
        assert.doesNotMatch(String(document), /arn:aws:/, name);
  });
});
