import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { DeclaredPolicies } from "../infra/iam/declared-policies.ts";
import { ESCALATIONS } from "../infra/iam/escalations.ts";
import { reach } from "../infra/iam/sweep.ts";
import { ACCOUNT, bootstrapOf, roleOf } from "./account.ts";

const NO_GUARDS: DeclaredPolicies = { accountId: ACCOUNT, partition: "aws", roles: [], ofResources: new Map() };

/**
 * Ways to more that deploying needs itself, since it makes the resources that they are about. Those of IAM reach the stack's roles
 * only, under the boundary; the keys and the bucket of bootstrap's are beyond it; and nothing runs with a role that is not the stack's own.
 */
const NEEDED_TO_DEPLOY: Readonly<Record<string, readonly string[]>> = {
  "by writing policies": [
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
  ],
  "by becoming someone else": ["iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:UpdateAssumeRolePolicy"],
  "by handing a role to a service, and running something with it": [
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
    "iam:PassRole",
  ],
  "by opening what guards data to others": [
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "s3:PutBucketPolicy",
    "sns:SetTopicAttributes",
  ],
  "by changing the credential, or who checks it": [
    "ecr:PutImage",
    "rds:CreateDBSnapshot",
    "rds:ModifyDBInstance",
    "rds:ModifyDBProxy",
    "rds:RegisterDBProxyTargets",
  ],
};

async function possible(role: string, actions: readonly string[]): Promise<readonly string[]> {
  const { arn, policies } = roleOf(await bootstrapOf(), role);
  const reached = await Promise.all(actions.map((action) => reach(NO_GUARDS, { arn, policies }, action)));
  return actions.filter((_, index) => (reached[index] ?? []).length > 0);
}

describe("Nobody gets more than was given", () => {
  for (const { how, actions } of ESCALATIONS) {
    for (const stack of ["staging", "production"]) {
      it(`${how}, who previews ${stack}`, async () => {
        assert.deepEqual(await possible(`${stack}-preview`, actions), []);
      });

      it(`${how}, who deploys ${stack}, but by what deploying needs`, async () => {
        assert.deepEqual(await possible(`${stack}-deploy`, actions), NEEDED_TO_DEPLOY[how]);
      });
    }
  }
});
