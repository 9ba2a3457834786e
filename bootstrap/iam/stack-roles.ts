import type { Account, Statement } from "../../infra/iam.ts";
import { policyArn, rolePath, type StackName, stackNames } from "../names.ts";

/** Services that run with a role that the program makes: whom its trusts name. */
export const PASSED_TO = ["ecs-tasks.amazonaws.com", "rds.amazonaws.com", "vpc-flow-logs.amazonaws.com"] as const;

/**
 * Services that act in the account with a role of their own, which the first use of each makes
 * ("Create a service-linked role"). It is linked to the service: nobody else can use or edit it.
 */
export const LINKED_SERVICES = [
  "ecs.amazonaws.com",
  "ecs.application-autoscaling.amazonaws.com",
  "elasticloadbalancing.amazonaws.com",
  "rds.amazonaws.com",
] as const;

/** Actions by which a role gets more power: they count only on a role that the boundary holds. */
export const BOUNDED_ACTIONS = [
  "iam:CreateRole",
  "iam:DeleteRolePolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:PutRolePolicy",
  "iam:UpdateAssumeRolePolicy",
] as const;

/** ARNs of the roles that the stack makes: under its path, where no role of bootstrap's is. */
export function rolesOfStack(stack: StackName, { partition, accountId }: Account): string {
  return `arn:${partition}:iam::${accountId}:role${rolePath(stack)}*`;
}

/** Ways to the account's service-linked roles. */
export function linkedRoles({ partition, accountId }: Account): string {
  return `arn:${partition}:iam::${accountId}:role/aws-service-role/*`;
}

/** What a preview does with roles: it looks at the stack's own. */
export function readRoles(actions: readonly string[], stack: StackName, account: Account): Statement {
  return { Sid: "ReadRoles", Effect: "Allow", Action: actions, Resource: rolesOfStack(stack, account) };
}

/**
 * What a deployment does with roles, of those actions that the program's resources need: it touches the stack's own only, gives them
 * power only within the boundary ("Permissions boundaries for IAM entities": iam:PermissionsBoundary is the boundary that the role
 * has, or with CreateRole and PutRolePermissionsBoundary the one that it gets), and hands them to the services that the program
 * names.
 */
export function writeRoles(actions: readonly string[], stack: StackName, account: Account): readonly Statement[] {
  const names = stackNames(stack);
  const roles = rolesOfStack(stack, account);
  const special = new Set<string>([...BOUNDED_ACTIONS, "iam:PassRole"]);
  return [
    {
      Sid: "ManageRoles",
      Effect: "Allow",
      Action: actions.filter((action) => !special.has(action)),
      Resource: roles,
    },
    {
      Sid: "EmpowerBoundedRoles",
      Effect: "Allow",
      Action: BOUNDED_ACTIONS.filter((action) => actions.includes(action)),
      Resource: roles,
      Condition: {
        StringEquals: { "iam:PermissionsBoundary": policyArn(names, names.workloadBoundary, account) },
      },
    },
    {
      Sid: "PassRoles",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: roles,
      Condition: { StringEquals: { "iam:PassedToService": PASSED_TO } },
    },
    {
      Sid: "LinkServices",
      Effect: "Allow",
      Action: "iam:CreateServiceLinkedRole",
      Resource: linkedRoles(account),
      Condition: { StringEquals: { "iam:AWSServiceName": LINKED_SERVICES } },
    },
  ];
}
