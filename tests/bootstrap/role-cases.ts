import { ACCOUNT } from "./account.ts";
import { type Case, OTHER_ROLES, OWN_ROLE, roleArn } from "./scene.ts";

const MONITORING_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole";

/** What makes a role or gives it power, on production's own and with the boundary, or one of them otherwise. */
export function empower(action: string, change: { resource?: string; boundary?: string } = {}): Case[1] {
  return ({ boundary }) => ({
    action,
    resource: change.resource ?? OWN_ROLE,
    context: { "iam:PermissionsBoundary": change.boundary ?? boundary, ...policyOf(action) },
  });
}

/** The policy that an action attaches or detaches. */
function policyOf(action: string): Readonly<Record<string, string>> {
  return /AttachRolePolicy|DetachRolePolicy/.test(action) ? { "iam:PolicyARN": MONITORING_POLICY } : {};
}

/** Hands a role to a service. */
export function pass(service: string, resource = OWN_ROLE): Case[1] {
  return () => ({ action: "iam:PassRole", resource, context: { "iam:PassedToService": service } });
}

/** What makes a role or gives it power. */
export const EMPOWERING = [
  "iam:AttachRolePolicy",
  "iam:CreateRole",
  "iam:DeleteRolePolicy",
  "iam:DetachRolePolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:PutRolePolicy",
  "iam:UpdateAssumeRolePolicy",
];
/** What else is done with a role. */
export const MANAGING = ["iam:DeleteRole", "iam:TagRole", "iam:UpdateRole"];

/** Ways by which whoever deploys could get more than was given, with roles or policies. */
export const ROLE_ATTACKS: readonly Case[] = [
  ...EMPOWERING.flatMap((action): readonly Case[] => [
    [`call ${action} on a role without a boundary`, () => ({ action, resource: OWN_ROLE, context: policyOf(action) })],
    [
      `call ${action} with AWS's administrator policy as the boundary`,
      empower(action, { boundary: "arn:aws:iam::aws:policy/AdministratorAccess" }),
    ],
    [
      `call ${action} with another stack's boundary`,
      empower(action, {
        boundary: `arn:aws:iam::${ACCOUNT}:policy/passwordless-postgres-bootstrap/passwordless-postgres-staging-workload-boundary`,
      }),
    ],
    [`call ${action} with its own boundary`, (scene) => empower(action, { boundary: scene.deployBoundary })(scene)],
    ...OTHER_ROLES.map(([whose, resource]): Case => [`call ${action} on ${whose} role`, empower(action, { resource })]),
  ]),
  ...MANAGING.flatMap((action) =>
    OTHER_ROLES.map(([whose, resource]): Case => [`call ${action} on ${whose} role`, () => ({ action, resource })]),
  ),
  ...["lambda", "ec2", "ecs", "codebuild", "cloudformation", "glue", "sagemaker", "states", "ssm"].map(
    (service): Case => [`hand its stack's role to ${service}`, pass(`${service}.amazonaws.com`)],
  ),
  ["hand its stack's role to nobody in particular", () => ({ action: "iam:PassRole", resource: OWN_ROLE })],
  ...OTHER_ROLES.map(
    ([whose, resource]): Case => [`hand ${whose} role to ECS`, pass("ecs-tasks.amazonaws.com", resource)],
  ),
  ...["iam::aws:policy/AdministratorAccess", `iam::${ACCOUNT}:policy/wide`].map(
    (policy): Case => [
      `attach ${policy} to its stack's role`,
      ({ boundary }) => ({
        action: "iam:AttachRolePolicy",
        resource: OWN_ROLE,
        context: { "iam:PermissionsBoundary": boundary, "iam:PolicyARN": `arn:aws:${policy}` },
      }),
    ],
  ),
  [
    "make a role of another service's that AWS would link",
    () => ({
      action: "iam:CreateServiceLinkedRole",
      resource: roleArn("aws-service-role/lex.amazonaws.com/AWSServiceRoleForLexBots"),
      context: { "iam:AWSServiceName": "lex.amazonaws.com" },
    }),
  ],
  ...["iam:DeleteRolePermissionsBoundary"].flatMap((action): readonly Case[] => [
    [`call ${action} on its stack's role`, () => ({ action, resource: OWN_ROLE })],
    [`call ${action} on itself`, ({ deployRole }) => ({ action, resource: deployRole })],
  ]),
  ...["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"].flatMap(
    (action): readonly Case[] => [
      [`call ${action} on its own boundary`, ({ deployBoundary }) => ({ action, resource: deployBoundary })],
      [`call ${action} on its stack's boundary`, ({ boundary }) => ({ action, resource: boundary })],
    ],
  ),
  ["become its stack's role", () => ({ action: "sts:AssumeRole", resource: OWN_ROLE })],
];
