import { createHash } from "node:crypto";

/** Where the resources are pretended to be. */
export interface Place {
  readonly partition: string;
  readonly dnsSuffix: string;
  readonly region: string;
  readonly accountId: string;
}

/** The place of a stack, from its region and the account that it may be deployed to. */
export function placeOf(region: string, accountId: string): Place {
  if (region.startsWith("cn-")) return { partition: "aws-cn", dnsSuffix: "amazonaws.com.cn", region, accountId };
  const partition = region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return { partition, dnsSuffix: "amazonaws.com", region, accountId };
}

/** Account of a stack that does not say which accounts it may be deployed to; AWS's own example. */
const EXAMPLE_ACCOUNT = "123456789012";

/** The first of the accounts that a stack may be deployed to, a list as JSON; AWS's example where it names none. */
export function accountOf(allowedAccountIds: string | undefined): string {
  const allowed: unknown = JSON.parse(allowedAccountIds ?? "[]");
  return Array.isArray(allowed) && typeof allowed[0] === "string" ? allowed[0] : EXAMPLE_ACCOUNT;
}

/** ARN of a resource in the place. */
export function arn(place: Place, service: string, resource: string): string {
  return `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;
}

/** ARN of a resource that has no region. */
export function globalArn(place: Place, service: string, resource: string): string {
  return `arn:${place.partition}:${service}::${place.accountId}:${resource}`;
}

/** The part of RDS's host names that is the same for all of an account in a region. */
export function accountHash(place: Place): string {
  return `c${hex(`${place.accountId}/${place.region}`, 11)}`;
}

/** Digits that are the same at each evaluation: AWS's ids are random, a test's must not be. */
export function hex(seed: string, digits = 17): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, digits);
}
