import type { Statement } from "./document.ts";
import { allowsAction } from "./match.ts";

/**
 * Actions by which whoever may do them can get more than they were given: new policies, new credentials, other identities, or code
 * that runs as another role. After the lists that checkov (CKV_AWS_286) and prowler (iam_inline_policy_allows_privilege_escalation)
 * check by.
 */
const ESCALATING: readonly string[] = [
  "iam:AddUserToGroup",
  "iam:AttachGroupPolicy",
  "iam:AttachRolePolicy",
  "iam:AttachUserPolicy",
  "iam:CreateAccessKey",
  "iam:CreateLoginProfile",
  "iam:CreatePolicyVersion",
  "iam:CreateRole",
  "iam:CreateServiceLinkedRole",
  "iam:CreateUser",
  "iam:DeleteRolePermissionsBoundary",
  "iam:PassRole",
  "iam:PutGroupPolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:PutRolePolicy",
  "iam:PutUserPolicy",
  "iam:SetDefaultPolicyVersion",
  "iam:UpdateAssumeRolePolicy",
  "iam:UpdateLoginProfile",
  "sts:AssumeRole",
  "sts:GetFederationToken",
  "kms:CreateGrant",
  "kms:PutKeyPolicy",
  "secretsmanager:PutResourcePolicy",
  "lambda:AddPermission",
  "lambda:CreateFunction",
  "lambda:UpdateFunctionCode",
  "lambda:UpdateFunctionConfiguration",
  "ecs:ExecuteCommand",
  "ecs:RegisterTaskDefinition",
  "ecs:RunTask",
  "ec2:RunInstances",
  "cloudformation:CreateStack",
  "cloudformation:UpdateStack",
  "codebuild:StartBuild",
  "glue:CreateDevEndpoint",
  "ssm:SendCommand",
  "ssm:StartSession",
];

/** The escalating actions that a statement allows. */
export function escalations(statement: Statement): readonly string[] {
  return ESCALATING.filter((action) => allowsAction(statement, action));
}
