import { alongside, alsoResource, condition, principal } from "../../infra/iam/widen.ts";
import { copy, type Mutation, restate, set } from "./mutation.ts";

const START = ["RolePolicy", "service-start"] as const;
const TASK = ["Role", "service-task"] as const;
const TOPIC = ["TopicPolicy", "observability-alarms"] as const;

/** Slips in what roles may do, and in who is told. */
export const IAM_MUTATIONS: readonly Mutation[] = [
  {
    control: "iam-no-wildcards",
    says: "every repository",
    mutate: restate(START, 1, alsoResource(/repository\/.+/, "repository/*")),
  },
  {
    control: "iam-no-wildcards",
    says: "every action of the registry",
    mutate: restate(START, 1, (statement) => ({ ...statement, Action: "ecr:*" })),
  },
  {
    control: "iam-no-wildcards",
    says: "everything but",
    mutate: restate(START, 1, ({ Action: _, ...statement }) => ({ ...statement, NotAction: "iam:*" })),
    // Everything but IAM is also what others guard.
    also: ["iam-no-escalation", "connect-never-wildcard", "connect-not-by-execution-role"],
  },
  {
    control: "iam-no-escalation",
    says: "roles that can be passed",
    mutate: restate(START, 1, alongside({ Action: "iam:PassRole", Resource: "arn:aws:iam::123456789012:role/other" })),
  },
  {
    control: "iam-no-managed-policies",
    says: "what AWS may change",
    mutate: set("Role", "service-task", { managedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }),
  },
  {
    control: "iam-one-boundary",
    says: "a boundary on one role",
    mutate: set("Role", "service-task", { permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary" }),
  },
  {
    control: "iam-trusts-services-only",
    says: "a role for another account",
    mutate: restate(TASK, 0, principal({ AWS: "arn:aws:iam::999999999999:root" })),
  },
  {
    control: "iam-trusts-own-account",
    says: "tasks of any account",
    mutate: restate(TASK, 0, condition(undefined)),
  },
  {
    control: "iam-no-users",
    says: "a user",
    mutate: copy("Role", "service-task", "someone", { type: "aws:iam/user:User" }),
  },
  {
    control: "alarms-act",
    says: "an alarm that nobody hears",
    mutate: (program) => {
      const name = program.resources.find(({ type }) => type.endsWith(":MetricAlarm"))?.name ?? "";
      return set("MetricAlarm", name, { alarmActions: [] })(program);
    },
  },
  {
    control: "events-reach-topics",
    says: "events to another account",
    mutate: set("EventTarget", "observability-rotation-failed", { arn: "arn:aws:sns:eu-west-2:999999999999:theirs" }),
  },
  { control: "topics-private", says: "alarms of any account", mutate: restate(TOPIC, 0, condition(undefined)) },
  {
    control: "topics-require-tls",
    says: "publishing in the clear",
    mutate: set(...TOPIC, ({ policy }) => {
      const document = JSON.parse(String(policy)) as { readonly Statement: readonly { readonly Effect: string }[] };
      return { policy: JSON.stringify({ Statement: document.Statement.filter(({ Effect }) => Effect !== "Deny") }) };
    }),
  },
];
