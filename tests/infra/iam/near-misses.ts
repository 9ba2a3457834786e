import { type Asked, administratorOf } from "./asked.ts";
import type { Question } from "./decide.ts";
import type { Scene } from "./scene.ts";

/** A question that differs from an allowed one in one thing, and that must be answered with no. */
export interface NearMiss {
  /** What is altered, such as `region`. */
  readonly altered: string;
  readonly question: Question;
}

/** Alters each thing of an allowed question in turn. */
export function nearMisses(scene: Scene, asked: Asked): readonly NearMiss[] {
  const { question, ids, otherResources, otherActions } = asked;
  const resources = [
    ...(ids.length === 0 ? [] : segments(question.resource, scene)),
    ...ids.flatMap((id) => names(id).map((name) => ["name", question.resource.replace(id, name)] as const)),
    ...otherResources.map((resource) => ["resource", resource] as const),
  ];
  return [
    ...resources.map(([altered, resource]) => ({ altered, question: { ...question, resource } })),
    ...otherActions.map((action) => ({ altered: "action", question: { ...question, action } })),
    ...contexts(asked, scene),
    ...principals(asked, scene),
  ];
}

/** The ARN with each segment that says where replaced by a near one, and made longer by one character. */
function segments(arn: string, { elsewhere }: Scene): readonly (readonly [altered: string, arn: string])[] {
  const parts = arn.split(":");
  const longer = (index: number) => `${parts[index]}0`;
  const others: readonly (readonly [altered: string, index: number, values: readonly string[]])[] = [
    ["partition", 1, [elsewhere.partition, longer(1)]],
    ["service", 2, ["s3"]],
    ["region", 3, [elsewhere.region, longer(3)]],
    ["account", 4, [elsewhere.accountId, longer(4)]],
  ];
  return others.flatMap(([altered, index, values]) =>
    values.map((value) => [altered, parts.with(index, value).join(":")] as const),
  );
}

/** Names beside a name: begun and ended otherwise, in another letter case, shorter. IAM compares letter by letter. */
function names(name: string): readonly string[] {
  const otherCase = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  const otherEnd = `${name.slice(0, -1)}${name.endsWith("z") ? "y" : "z"}`;
  return [`0${name}`, `${name}0`, otherCase, otherEnd, name.slice(0, -1)];
}

/** AWS says it with each request, so only its value can be another. */
const ALWAYS_SAID = "aws:SecureTransport";

/** The question with each key of its context left out, and with each value altered; and without any context. */
function contexts({ question, otherSources }: Asked, scene: Scene): readonly NearMiss[] {
  const context = question.context ?? {};
  const altered = Object.entries(context).flatMap(([key, value]) => {
    const { [key]: _, ...others } = context;
    const near = [...nearValues(key, value, scene), ...(key === SOURCE ? (otherSources ?? []) : [])];
    const changed = near.map((other) => ({ ...others, [key]: other }));
    return (key === ALWAYS_SAID ? changed : [others, ...changed]).map((context) => ({ altered: key, context }));
  });
  const { [ALWAYS_SAID]: _, ...leftOut } = context;
  const none = Object.keys(leftOut).length > 1 ? [{ altered: "context", context: {} }] : [];
  return [...altered, ...none].map(({ altered, context }) => ({ altered, question: { ...question, context } }));
}

const SOURCE = "aws:SourceArn";

function nearValues(key: string, value: string, scene: Scene): readonly string[] {
  const { elsewhere, place, topic } = scene;
  switch (key) {
    case "aws:SourceAccount":
      return [elsewhere.accountId];
    case SOURCE:
      return segments(value, scene).map(([, arn]) => arn);
    case "aws:SecureTransport":
      return ["false"];
    case "kms:EncryptionContext:aws:sns:topicArn":
      return [
        `${topic}0`,
        topic.replace(place.region, elsewhere.region),
        topic.replace(place.accountId, elsewhere.accountId),
      ];
    case "kms:ViaService":
      return [
        value.replace(place.region, elsewhere.region),
        ...["rds", "ssm", "s3"].map((service) => value.replace("secretsmanager", service)),
        `${value}.example.com`,
      ];
    default:
      throw new TypeError(`no near values of the condition key ${key} are known: add them`);
  }
}

/** Services that a trust or a key's policy could name by mistake; the one that is allowed is no near miss of itself. */
export const SERVICES: readonly string[] = [
  "cloudwatch.amazonaws.com",
  "ec2.amazonaws.com",
  "ecs-tasks.amazonaws.com",
  "ecs.amazonaws.com",
  "events.amazonaws.com",
  "events.rds.amazonaws.com",
  "lambda.amazonaws.com",
  "logdelivery.elasticloadbalancing.amazonaws.com",
  "monitoring.rds.amazonaws.com",
  "rds.amazonaws.com",
  "secretsmanager.amazonaws.com",
  "vpc-flow-logs.amazonaws.com",
];

/** The resource whose policy is asked: of what is in a bucket, the bucket. */
function guardOf(resource: string): string {
  return resource.startsWith("arn:") && resource.split(":")[2] === "s3" ? (resource.split("/")[0] ?? "") : resource;
}

/** Everybody else: the program's own roles; and where the resource has a policy of its own, strangers and services too. */
function principals({ question, alsoBy = [] }: Asked, scene: Scene): readonly NearMiss[] {
  const { administrator: _, ...plain } = question;
  const { taskRole, executionRole, proxyRole, flowLogsRole, monitoringRole } = scene;
  const { secretKey, storageKey, topicKey, topic, bucket, elsewhere } = scene;
  const roles = [taskRole, executionRole, proxyRole, flowLogsRole, monitoringRole];
  const guarded = [...roles, secretKey, storageKey, topicKey, topic, bucket];
  const others: readonly Pick<Question, "principal" | "administrator">[] = [
    ...roles.map((principal) => ({ principal })),
    // An administrator may do whatever identity policies decide; whom a role trusts they do not decide.
    ...(roles.includes(question.resource) ? [{ principal: administratorOf(scene), administrator: true }] : []),
    ...(guarded.includes(guardOf(question.resource))
      ? [
          { principal: `${administratorOf(scene)}-retired` },
          { principal: administratorOf(scene, elsewhere.accountId), administrator: true },
          ...SERVICES.map((principal) => ({ principal })),
        ]
      : []),
  ];
  return others
    .filter(({ principal }) => ![question.principal, ...alsoBy].includes(principal))
    .map((other) => ({ altered: "principal", question: { ...plain, ...other } }));
}
