import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account, PolicyDocument } from "../iam.ts";

/** Days until S3 drops what replaced or deleted log files were, and parts of files that never came to an end. */
const LEFTOVER_DAYS = 7;

export interface AccessLogsArgs {
  /** Days that a log file is kept. */
  readonly logRetentionDays: number;
  /**
   * Whether the bucket refuses to be deleted, and stays with all that keeps it private when the stack goes. A bucket that is not
   * protected is emptied and deleted with the stack.
   */
  readonly protected: boolean;
  readonly account: pulumi.Output<Account>;
}

/** Where a load balancer writes its access logs. */
export interface AccessLogs {
  /** Name of the bucket. */
  readonly bucket: pulumi.Output<string>;
  /** What must exist first: ELB writes a test file when logging is switched on, and fails if it may not. */
  readonly ready: readonly pulumi.Resource[];
}

/**
 * Makes a private bucket for the access logs of the load balancers of this account and region. It is encrypted by S3's own keys,
 * "the only server-side encryption option that's supported" ("Enable access logs for your Application Load Balancer").
 */
export function createAccessLogs(name: string, args: AccessLogsArgs, parent: pulumi.Resource): AccessLogs {
  // Without its settings a bucket that stays would not be private any more.
  const opts = { parent, retainOnDelete: args.protected };
  const { bucket, arn } = new aws.s3.Bucket(
    name,
    { forceDestroy: !args.protected },
    { ...opts, protect: args.protected },
  );
  const block = new aws.s3.BucketPublicAccessBlock(
    name,
    { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    opts,
  );
  const ownership = new aws.s3.BucketOwnershipControls(
    name,
    { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts,
  );
  const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
    name,
    { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    opts,
  );
  const versioning = new aws.s3.BucketVersioning(
    name,
    { bucket, versioningConfiguration: { status: "Enabled" } },
    opts,
  );
  new aws.s3.BucketLifecycleConfiguration(
    name,
    { bucket, rules: [expireAfter(args.logRetentionDays)] },
    // S3 takes rules about versions only of a bucket that has them.
    { ...opts, dependsOn: [versioning] },
  );
  const policy = new aws.s3.BucketPolicy(
    name,
    {
      bucket,
      policy: pulumi.jsonStringify(pulumi.all([arn, args.account]).apply((known) => accessLogsPolicy(...known))),
    },
    // S3 refuses two changes of a bucket's access at once.
    { ...opts, dependsOn: [block, ownership] },
  );
  return { bucket, ready: [policy, encryption, versioning] };
}

/**
 * Lets ELB write the logs of this account's load balancers below the account's own prefix ("Enable access logs for your
 * Application Load Balancer"), and nobody do anything without TLS.
 */
export function accessLogsPolicy(bucketArn: string, { partition, region, accountId }: Account): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "LoadBalancersWrite",
        Effect: "Allow",
        Principal: { Service: "logdelivery.elasticloadbalancing.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: `${bucketArn}/AWSLogs/${accountId}/*`,
        // The ARN holds the account; AWS's page has no other condition, so nothing promises that another key is sent.
        Condition: {
          ArnLike: { "aws:SourceArn": `arn:${partition}:elasticloadbalancing:${region}:${accountId}:loadbalancer/*` },
        },
      },
      {
        Sid: "NobodyWithoutTls",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "s3:*",
        Resource: [bucketArn, `${bucketArn}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  };
}

function expireAfter(days: number): aws.types.input.s3.BucketLifecycleConfigurationRule {
  return {
    id: "expire",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { days },
    noncurrentVersionExpiration: { noncurrentDays: LEFTOVER_DAYS },
    abortIncompleteMultipartUpload: { daysAfterInitiation: LEFTOVER_DAYS },
  };
}
