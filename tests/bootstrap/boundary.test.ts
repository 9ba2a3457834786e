import assert from "node:assert/strict";
import { runUnsafeSimulation } from "@cloud-copilot/iam-simulate";
import { describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { only, type PolicyDocument, programOf, STACKS } from "../infra/declared-program.ts";
import { EVERYTHING } from "../infra/iam/decide.ts";
import { type DeclaredRole, readPolicies } from "../infra/iam/declared-policies.ts";
import { identityPolicies, resourcePolicy } from "../infra/iam/policy-documents.ts";
import { ACCOUNT, bootstrapOf, OPEN, REGION } from "./account.ts";

interface Use {
  readonly role: DeclaredRole;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Each action on each resource that the program's roles are granted, with their conditions met. */
function usesOf(program: Program): readonly Use[] {
  return readPolicies(program).roles.flatMap((role) =>
    role.policies
      .flatMap(({ policy }) => policy.Statement)
      .flatMap(({ Action, Resource, Condition = {} }) => {
        const { StringEquals = {} } = Condition as Readonly<Record<string, Readonly<Record<string, string>>>>;
        const actions = [Action].flat() as string[];
        const resources = [Resource].flat() as string[];
        return actions.flatMap((action) =>
          resources.map((resource) => ({ role, action, resource: example(resource), context: StringEquals })),
        );
      }),
  );
}

/** A resource that the pattern names, in the account and region of the stacks. */
function example(pattern: string): string {
  if (pattern === "*") return pattern;
  const [arn, partition, service, region, account, ...rest] = pattern.split(":");
  const name = rest.join(":").replaceAll("*", "x");
  return [arn, partition, service, region === "*" ? REGION : region, account === "*" ? ACCOUNT : account, name].join(
    ":",
  );
}

function isAllowed({ role, action, resource, context }: Use, boundary: PolicyDocument | undefined): boolean {
  const result = runUnsafeSimulation(
    {
      request: {
        principal: role.arn,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: { ...context },
      },
      identityPolicies: identityPolicies(role.policies),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resource === "*" ? {} : { resourcePolicy: resourcePolicy(OPEN) }),
      ...(boundary === undefined
        ? {}
        : { permissionBoundaryPolicies: identityPolicies([{ name: "boundary", policy: boundary }]) }),
    },
    {},
  );
  return result === "Allowed";
}

async function boundaryOf(stack: string): Promise<PolicyDocument> {
  return JSON.parse(String(only(await bootstrapOf(), "Policy", `${stack}-workload-boundary`).inputs.policy));
}

describe("The boundary of a stack's roles", () => {
  for (const stack of STACKS) {
    it(`admits everything that ${stack} grants its roles`, async () => {
      const boundary = await boundaryOf(stack);
      const uses = usesOf(await programOf(stack));
      for (const use of uses) {
        const says = `${use.action} on ${use.resource} by ${use.role.name}`;
        assert.equal(isAllowed(use, undefined), true, `the role itself: ${says}`);
        assert.equal(isAllowed(use, boundary), true, says);
      }
      assert.ok(uses.length >= 10, String(uses.length));
    });
  }

  it("admits nothing that would get a role more, whatever it is granted", async () => {
    const boundary = await boundaryOf("production");
    const [role] = readPolicies(await programOf("production")).roles;
    assert.ok(role);
    const wide = { ...role, policies: [{ name: "wide", policy: EVERYTHING }] };
    const actions = [
      "ec2:RunInstances",
      "ecr:PutImage",
      "ecs:ExecuteCommand",
      "iam:CreateUser",
      "iam:DeleteRolePermissionsBoundary",
      "iam:PassRole",
      "kms:Decrypt",
      "lambda:CreateFunction",
      "logs:DeleteLogGroup",
      "rds:ModifyDBInstance",
      "s3:GetObject",
      "secretsmanager:PutSecretValue",
      "sts:AssumeRole",
    ];
    for (const action of actions) {
      const use = {
        role: wide,
        action,
        resource: `arn:aws:${action.split(":")[0]}:${REGION}:${ACCOUNT}:x`,
        context: {},
      };
      assert.equal(isAllowed(use, undefined), true, action);
      assert.equal(isAllowed(use, boundary), false, action);
    }
  });
});
