import { action, condition, principal, type Widening } from "./widen.ts";

const TRUST_RDS = { of: ["Role", "proxy"], statement: 0 } as const;
const TRUST_TASKS = { of: ["Role", "service-task"], statement: 0 } as const;
const TRUST_ECS = { of: ["Role", "service-execution"], statement: 0 } as const;
const TRUST_FLOW_LOGS = { of: ["Role", "network-flow-logs"], statement: 0 } as const;
const TRUST_MONITORING = { of: ["Role", "database-monitoring"], statement: 0 } as const;

const OWN_ACCOUNT = "123456789012";
const OWN_ROOT = { AWS: `arn:aws:iam::${OWN_ACCOUNT}:root` };
const OTHER_ROOT = { AWS: "arn:aws:iam::210987654321:root" };
const OF_ACCOUNT = { StringEquals: { "aws:SourceAccount": OWN_ACCOUNT } };
const OF_TASKS = { ArnLike: { "aws:SourceArn": `arn:aws:ecs:eu-west-2:${OWN_ACCOUNT}:*` } };

/** Slips of the pen in whom production's roles trust. */
export const WIDENED_TRUSTS: readonly Widening[] = [
  {
    says: "the proxy's role for EC2",
    ...TRUST_RDS,
    becomes: principal({ Service: ["rds.amazonaws.com", "ec2.amazonaws.com"] }),
    possible: ["sts:AssumeRole"],
    allowed: ["principal"],
  },
  {
    says: "the proxy's role for everybody",
    ...TRUST_RDS,
    becomes: principal("*"),
    possible: ["sts:AssumeRole"],
    allowed: ["principal"],
  },
  {
    says: "the proxy's role for the account",
    ...TRUST_RDS,
    becomes: principal({ Service: "rds.amazonaws.com", ...OWN_ROOT }),
    possible: [],
    allowed: ["principal"],
  },
  {
    says: "the proxy's role for another account",
    ...TRUST_RDS,
    becomes: principal({ Service: "rds.amazonaws.com", ...OTHER_ROOT }),
    possible: [],
    allowed: ["principal"],
  },
  {
    says: "the proxy's role with tags",
    ...TRUST_RDS,
    becomes: action("sts:TagSession"),
    possible: ["sts:TagSession"],
    allowed: ["action"],
  },
  {
    says: "the task's role for any task",
    ...TRUST_TASKS,
    becomes: condition(undefined),
    possible: [],
    allowed: ["aws:SourceAccount", "aws:SourceArn", "context"],
  },
  {
    says: "the task's role for the account's anything",
    ...TRUST_TASKS,
    becomes: condition(OF_ACCOUNT),
    possible: [],
    allowed: ["aws:SourceArn"],
  },
  {
    says: "the task's role for tasks in the name of any account",
    ...TRUST_TASKS,
    becomes: condition(OF_TASKS),
    possible: [],
    allowed: ["aws:SourceAccount"],
  },
  {
    says: "the task's role for the service itself",
    ...TRUST_TASKS,
    becomes: principal({ Service: ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"] }),
    possible: ["sts:AssumeRole"],
    allowed: ["principal"],
  },
  {
    says: "the execution role for tasks in any region",
    ...TRUST_ECS,
    becomes: condition({ ...OF_ACCOUNT, ArnLike: { "aws:SourceArn": `arn:aws:ecs:*:${OWN_ACCOUNT}:*` } }),
    possible: [],
    allowed: ["aws:SourceArn"],
  },
  {
    says: "the execution role with a source identity",
    ...TRUST_ECS,
    becomes: action("sts:SetSourceIdentity"),
    possible: ["sts:SetSourceIdentity"],
    allowed: ["action"],
  },
  {
    says: "the role of flow logs for anybody's",
    ...TRUST_FLOW_LOGS,
    becomes: condition(undefined),
    possible: [],
    allowed: ["aws:SourceAccount", "aws:SourceArn", "context"],
  },
  {
    says: "the role of flow logs for tasks too",
    ...TRUST_FLOW_LOGS,
    becomes: principal({ Service: ["vpc-flow-logs.amazonaws.com", "ecs-tasks.amazonaws.com"] }),
    possible: ["sts:AssumeRole"],
    allowed: ["principal"],
  },
  {
    says: "the role of enhanced monitoring for every instance of the account",
    ...TRUST_MONITORING,
    becomes: condition(OF_ACCOUNT),
    possible: [],
    allowed: ["aws:SourceArn"],
  },
];
