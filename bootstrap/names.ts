import type { Account } from "../infra/iam.ts";
import { rolePath as ofProgram, rdsName } from "../infra/names.ts";

/** One stack of the project that is deployed. */
export interface StackName {
  readonly project: string;
  readonly stack: string;
}

/** What the account's bootstrap gives a stack, by name. Names are known before anything exists, so that policies can name each other. */
export interface StackNames {
  /** Path of the roles that bootstrap makes: outside of every stack's own. */
  readonly bootstrapPath: string;
  readonly previewRole: string;
  readonly deployRole: string;
  /** Managed policy that bounds the role that deploys. */
  readonly deployBoundary: string;
  /** Managed policy that bounds every role that the stack makes. */
  readonly workloadBoundary: string;
  /** Alias of the key that encrypts the stack's secrets. */
  readonly secretsAlias: string;
  /** GitHub environments of the jobs that deploy, and that preview. */
  readonly deployEnvironment: string;
  readonly previewEnvironment: string;
}

/**
 * The names of everything that bootstrap makes for a stack.
 */
export function stackNames({ project, stack }: StackName): StackNames {
  const prefix = `${project}-${stack}`;
  return {
    bootstrapPath: `/${project}-bootstrap/`,
    previewRole: `${prefix}-preview`,
    deployRole: `${prefix}-deploy`,
    deployBoundary: `${prefix}-deploy-boundary`,
    workloadBoundary: `${prefix}-workload-boundary`,
    secretsAlias: `alias/${prefix}-secrets`,
    deployEnvironment: stack,
    previewEnvironment: `${stack}-preview`,
  };
}

/** Path of the roles that a stack makes. Whoever deploys the stack touches no role outside of it. */
export function rolePath({ project, stack }: StackName): string {
  return ofProgram([project, stack]);
}

/** Name of the state bucket: nobody else's, as it holds the account's number, and known before the bucket exists. */
export function stateBucketName(project: string, { accountId, region }: Account): string {
  return `${project}-state-${accountId}-${region}`;
}

/** ARN of a managed policy that bootstrap makes. */
export function policyArn({ bootstrapPath }: StackNames, policy: string, { partition, accountId }: Account): string {
  return `arn:${partition}:iam::${accountId}:policy${bootstrapPath}${policy}`;
}

/** ARNs, with wildcards, of whatever carries the name that the program gives the stack's database instances. */
export function databaseArns({ project, stack }: StackName, { partition, region, accountId }: Account): string {
  // The name ends in a hash of eight digits; a `*` would match the stacks whose names begin alike.
  const name = rdsName("", [], [project, stack]).replace(/[0-9a-f]{8}$/, "?".repeat(8));
  return `arn:${partition}:rds:${region}:${accountId}:db:${name}`;
}
