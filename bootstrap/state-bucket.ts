import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Account, keyOfAccount } from "../infra/iam.ts";
import { META_KEY, stateBucketPolicy } from "./iam/state.ts";
import { stateBucketName } from "./names.ts";

/** Days until AWS deletes a key: the longest that it grants to whoever notices a mistake ("ScheduleKeyDeletion"). */
export const KEY_DELETION_DAYS = 30;

/** Uploads that nobody completes are paid for until they are aborted. */
const ABANDONED_UPLOAD_DAYS = 7;

export interface StateBucketArgs {
  /** Name of the Pulumi project whose stacks it keeps. */
  readonly project: string;
  /** Days that replaced and deleted states are kept. */
  readonly oldStateDays: number;
  readonly account: pulumi.Output<Account>;
}

/**
 * Where Pulumi keeps the state of the stacks: versioned, under a key of its own, TLS only, never public. It is protected from
 * `pulumi destroy` and stays when it is no longer declared, since losing it loses track of everything that stands.
 */
export class StateBucket extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly keyArn: pulumi.Output<string>;
  /** What `pulumi login` takes. */
  readonly backendUrl: pulumi.Output<string>;
  readonly #opts: pulumi.CustomResourceOptions;

  constructor(name: string, args: StateBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:bootstrap:StateBucket", name, {}, opts);
    this.#opts = { parent: this, protect: true, retainOnDelete: true };
    const key = this.#createKey(name, args);
    const bucket = new aws.s3.Bucket(
      name,
      { bucket: args.account.apply((account) => stateBucketName(args.project, account)), forceDestroy: false },
      this.#opts,
    );
    const guards = this.#guard(name, args, bucket, key);
    // Pulumi writes this file at its first use of an empty bucket. Here it stands from the beginning, so that no role has to write
    // what all stacks depend on.
    new aws.s3.BucketObjectv2(
      `${name}-layout`,
      { bucket: bucket.bucket, key: META_KEY, content: "version: 1\n" },
      { ...this.#opts, dependsOn: [...guards] },
    );
    this.arn = bucket.arn;
    this.keyArn = key.arn;
    this.backendUrl = pulumi
      .all([bucket.bucket, args.account])
      .apply(([bucketName, { region }]) => `s3://${bucketName}?region=${region}`);
    this.registerOutputs({ arn: this.arn, keyArn: this.keyArn, backendUrl: this.backendUrl });
  }

  #createKey(name: string, { account }: StateBucketArgs): aws.kms.Key {
    return new aws.kms.Key(
      name,
      {
        description: "State of Pulumi's stacks",
        enableKeyRotation: true,
        deletionWindowInDays: KEY_DELETION_DAYS,
        policy: pulumi.jsonStringify(account.apply(keyOfAccount)),
      },
      this.#opts,
    );
  }

  #guard(name: string, args: StateBucketArgs, bucket: aws.s3.Bucket, key: aws.kms.Key): readonly pulumi.Resource[] {
    const ofBucket = { bucket: bucket.bucket };
    const closed = new aws.s3.BucketPublicAccessBlock(
      name,
      {
        ...ofBucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      this.#opts,
    );
    const owned = new aws.s3.BucketOwnershipControls(
      name,
      { ...ofBucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      this.#opts,
    );
    const versioned = new aws.s3.BucketVersioning(
      name,
      { ...ofBucket, versioningConfiguration: { status: "Enabled" } },
      this.#opts,
    );
    const encrypted = new aws.s3.BucketServerSideEncryptionConfiguration(
      name,
      {
        ...ofBucket,
        rules: [
          {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn },
            bucketKeyEnabled: true,
          },
        ],
      },
      this.#opts,
    );
    const policy = new aws.s3.BucketPolicy(
      name,
      {
        ...ofBucket,
        policy: pulumi
          .all([bucket.arn, key.arn])
          .apply(([bucketArn, keyArn]) => JSON.stringify(stateBucketPolicy(bucketArn, keyArn))),
      },
      // S3 takes one change of a bucket's access at a time.
      { ...this.#opts, dependsOn: [closed] },
    );
    this.#expireOldVersions(name, args.oldStateDays, bucket, versioned);
    return [closed, owned, versioned, encrypted, policy];
  }

  /** Each update leaves versions of checkpoint and lock; without an end they would be paid for for ever. */
  #expireOldVersions(name: string, oldStateDays: number, bucket: aws.s3.Bucket, versioned: pulumi.Resource): void {
    new aws.s3.BucketLifecycleConfiguration(
      name,
      {
        bucket: bucket.bucket,
        rules: [
          {
            id: "old-versions",
            status: "Enabled",
            filter: { prefix: "" },
            noncurrentVersionExpiration: { noncurrentDays: oldStateDays },
            expiration: { expiredObjectDeleteMarker: true },
            abortIncompleteMultipartUpload: { daysAfterInitiation: ABANDONED_UPLOAD_DAYS },
          },
        ],
      },
      { ...this.#opts, dependsOn: [versioned] },
    );
  }
}
