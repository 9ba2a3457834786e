import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** RDS's limit for the names of proxies and instances ("CreateDBProxy", "CreateDBInstance"). */
const RDS_NAME_LIMIT = 63;

/**
 * Room that a stack's prefix takes at most. The longest suffix leaves names of alarms below their 255 characters ("PutMetricAlarm"),
 * and those of topics and dashboards ("CreateTopic", "PutDashboard").
 */
const PREFIX_LIMIT = 200;

/**
 * A name for an RDS proxy or instance that is known before the resource exists, so that the log group which AWS would make for
 * it can be declared with a retention. It begins with the stack's project and name as far as there is room, and ends in a hash of
 * both, of the component, and of whatever replaces the resource: the successor has another name and can stand beside its
 * predecessor, and so can another component, another stack, or one whose long name begins alike.
 *
 * @param component logical name of the component that the resource belongs to
 * @param replacedBy the values whose change replaces the resource
 */
export function rdsName(component: string, replacedBy: readonly string[], stack = currentStack()): string {
  const hash = hashOf([...stack, component, ...replacedBy]);
  const readable = stack
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, RDS_NAME_LIMIT - hash.length - 1)
    .replace(/-$/, "");
  return readable === "" ? `db-${hash}` : `${readable}-${hash}`;
}

/**
 * The stack's name among the stacks of an account, such as `project-production`: a prefix of the names that people read, and that
 * must not clash. Pulumi's names hold at most 100 characters each and may hold dots, which topics, dashboards and task families do
 * not take. A hash follows wherever the readable part alone could be another stack's as well: when it had to be changed or cut,
 * and when the stack's own name holds a hyphen (`a-b` of project `c` and `b` of project `c-a`).
 *
 * @param limit most characters of the prefix
 */
export function stackPrefix(limit = PREFIX_LIMIT, stack = currentStack()): string {
  const plain = stack.join("-");
  const readable = plain.replace(/[^A-Za-z0-9_-]/g, "-");
  if (readable === plain && plain.length <= limit && !stack[1].includes("-")) return plain;
  const hash = hashOf(stack);
  return `${readable.slice(0, limit - hash.length - 1)}-${hash}`;
}

/**
 * Path of the roles that a stack makes, such as `/project/production/`: a policy can name all of them, and no other stack's, so whoever
 * deploys one stack need touch no role of another ("IAM identifiers").
 */
export function rolePath(stack = currentStack()): string {
  return `/${stack.join("/")}/`;
}

type Stack = readonly [project: string, stack: string];

function currentStack(): Stack {
  return [pulumi.getProject(), pulumi.getStack()];
}

function hashOf(values: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 8);
}
