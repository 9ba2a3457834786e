import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** RDS's limit for the names of proxies and instances ("CreateDBProxy", "CreateDBInstance"). */
const RDS_NAME_LIMIT = 63;

/**
 * A name for an RDS proxy or instance that is known before the resource exists, so that the log group which AWS would make for
 * it can be declared with a retention. It ends in a hash of whatever replaces the resource: the successor has another name, and
 * can stand beside its predecessor.
 *
 * @param parts project, stack and the like; letters and digits survive, all else becomes a single hyphen
 * @param replacedBy the values whose change replaces the resource
 */
export function rdsName(parts: readonly string[], replacedBy: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(replacedBy)).digest("hex").slice(0, 8);
  const readable = parts
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
 * must not clash. Pulumi's names hold at most 100 characters each and may hold dots, which SNS and dashboards do not take.
 */
export function stackPrefix(project = pulumi.getProject(), stack = pulumi.getStack()): string {
  return `${project}-${stack}`.replace(/[^A-Za-z0-9_-]/g, "-");
}
