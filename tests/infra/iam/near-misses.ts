import { type Asked, administratorOf } from "./allowed.ts";
import type { Question } from "./decide.ts";
import type { Scene } from "./scene.ts";

/** A question that differs from an allowed one in one thing, and that must be answered with no. */
export interface NearMiss {
  /** What is altered, such as `region`. */
  readonly altered: string;
  readonly question: Question;
}

/** Alters each thing of an allowed question in turn. */
export function nearMisses(scene: Scene, { question, ids, otherResources, otherActions }: Asked): readonly NearMiss[] {
  const resources = [
    ...(ids.length === 0 ? [] : segments(question, scene)),
    ...ids.flatMap((id) => names(id).map((name) => ["name", question.resource.replace(id, name)] as const)),
    ...otherResources.map((resource) => ["resource", resource] as const),
  ];
  return [
    ...resources.map(([altered, resource]) => ({ altered, question: { ...question, resource } })),
    ...otherActions.map((action) => ({ altered: "action", question: { ...question, action } })),
    ...contexts(question, scene),
    ...principals(question, scene),
  ];
}

/** The ARN with each segment that says where replaced by a near one, and made longer by one character. */
function segments({ action, resource }: Question, { elsewhere }: Scene): readonly (readonly [string, string])[] {
  const parts = resource.split(":");
  const longer = (index: number) => `${parts[index]}0`;
  const others: readonly (readonly [altered: string, index: number, values: readonly string[]])[] = [
    ["partition", 1, [elsewhere.partition, longer(1)]],
    // KMS never asks about a resource of another service, so policies have no say in it.
    ["service", 2, action.startsWith("kms:") ? [] : ["s3"]],
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

/** The question with each key of its context left out, and with each value altered; and without any context. */
function contexts(question: Question, scene: Scene): readonly NearMiss[] {
  const context = question.context ?? {};
  const misses = Object.entries(context).flatMap(([key, value]) => {
    const { [key]: _, ...others } = context;
    const near = nearValues(key, value, scene).map((other) => ({ ...others, [key]: other }));
    return [others, ...near].map((altered) => ({ altered: key, question: { ...question, context: altered } }));
  });
  const none = { altered: "context", question: { ...question, context: {} } };
  return Object.keys(context).length > 1 ? [...misses, none] : misses;
}

function nearValues(key: string, value: string, { elsewhere, place }: Scene): readonly string[] {
  switch (key) {
    case "aws:SourceAccount":
      return [elsewhere.accountId];
    case "aws:SourceArn":
      return [
        value.replace(`arn:${place.partition}:`, `arn:${elsewhere.partition}:`),
        value.replace(":ecs:", ":ec2:"),
        value.replace(place.region, elsewhere.region),
        value.replace(place.accountId, elsewhere.accountId),
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
const SERVICES: readonly string[] = [
  "cloudwatch.amazonaws.com",
  "ec2.amazonaws.com",
  "ecs-tasks.amazonaws.com",
  "ecs.amazonaws.com",
  "events.amazonaws.com",
  "lambda.amazonaws.com",
  "monitoring.rds.amazonaws.com",
  "rds.amazonaws.com",
  "secretsmanager.amazonaws.com",
];

/** Everybody else: the program's own roles; and where the resource has a policy of its own, strangers and services too. */
function principals(question: Question, scene: Scene): readonly NearMiss[] {
  const { administrator: _, ...plain } = question;
  const { taskRole, executionRole, proxyRole, secretKey, storageKey, elsewhere } = scene;
  const roles = [taskRole, executionRole, proxyRole];
  const others: readonly Pick<Question, "principal" | "administrator">[] = [
    ...roles.map((principal) => ({ principal })),
    // An administrator may do whatever identity policies decide; whom a role trusts they do not decide.
    ...(roles.includes(question.resource) ? [{ principal: administratorOf(scene), administrator: true }] : []),
    ...([...roles, secretKey, storageKey].includes(question.resource)
      ? [
          { principal: `${administratorOf(scene)}-retired` },
          { principal: administratorOf(scene, elsewhere.accountId), administrator: true },
          ...SERVICES.map((principal) => ({ principal })),
        ]
      : []),
  ];
  return others
    .filter(({ principal }) => principal !== question.principal)
    .map((other) => ({ altered: "principal", question: { ...plain, ...other } }));
}
