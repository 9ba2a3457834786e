import type { Account, Statement } from "../../infra/iam.ts";
import { policyArn, rolePath, type StackName, stackNames } from "../names.ts";

/** Services that run with a role that the program makes: whom its trusts name. */
export const PASSED_TO = [
  "ecs-tasks.amazonaws.com",
  "monitoring.rds.amazonaws.com",
  "rds.amazonaws.com",
  "vpc-flow-logs.amazonaws.com",
] as const;

/** Managed policies of AWS's own that the program attaches to a role: the only ones that may be. */
export function attachedPolicies({ partition }: Account): readonly string[] {
  return [`arn:${partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole`];
}

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

/** The same for policies that stand by themselves. */
export const ATTACHING_ACTIONS = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"] as const;

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
  const boundary = policyArn(names, names.workloadBoundary, account);
  const roles = rolesOfStack(stack, account);
  const special = new Set<string>([...BOUNDED_ACTIONS, ...ATTACHING_ACTIONS, "iam:PassRole"]);
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
        StringEquals: { "iam:PermissionsBoundary": boundary },
      },
    },
    {
      Sid: "AttachToBoundedRoles",
      Effect: "Allow",
      Action: ATTACHING_ACTIONS.filter((action) => actions.includes(action)),
      Resource: roles,
      Condition: {
        StringEquals: { "iam:PermissionsBoundary": boundary },
        ArnEquals: { "iam:PolicyARN": attachedPolicies(account) },
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
