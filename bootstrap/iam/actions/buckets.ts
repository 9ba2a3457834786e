import type { Account } from "../../../infra/iam.ts";
import type { ActionsByType } from "./actions.ts";

/** Logical names of the buckets that the program makes; Pulumi puts a hyphen and seven digits behind. */
const BUCKETS = ["load-balancer-logs"] as const;

/** ARNs of the program's buckets and of what is in them: no other bucket is any business of the stack's, least of all the state's. */
export function bucketsOfProgram({ partition }: Account): readonly string[] {
  return BUCKETS.flatMap((name) => {
    const bucket = `arn:${partition}:s3:::${name}-???????`;
    return [bucket, `${bucket}/*`];
  });
}

/** Buckets and their settings, of which each is a resource of its own. */
export const BUCKET_ACTIONS: ActionsByType = {
  "aws:s3/bucket:Bucket": {
    // The provider reads every setting of a bucket, whether it is declared here or not.
    read: [
      "s3:GetAccelerateConfiguration",
      "s3:GetBucketAcl",
      "s3:GetBucketCORS",
      "s3:GetBucketLocation",
      "s3:GetBucketLogging",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketPolicy",
      "s3:GetBucketRequestPayment",
      "s3:GetBucketTagging",
      "s3:GetBucketVersioning",
      "s3:GetBucketWebsite",
      "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration",
      "s3:ListBucket",
      "s3:ListTagsForResource",
    ],
    // A bucket that nothing protects is emptied before it is deleted.
    write: [
      "s3:CreateBucket",
      "s3:DeleteBucket",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:ListBucketVersions",
      "s3:PutBucketTagging",
      "s3:TagResource",
      "s3:UntagResource",
    ],
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
    read: ["s3:GetLifecycleConfiguration"],
    write: ["s3:PutLifecycleConfiguration"],
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
    read: ["s3:GetBucketOwnershipControls"],
    write: ["s3:PutBucketOwnershipControls"],
  },
  "aws:s3/bucketPolicy:BucketPolicy": {
    read: ["s3:GetBucketPolicy"],
    write: ["s3:DeleteBucketPolicy", "s3:PutBucketPolicy"],
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
    read: ["s3:GetBucketPublicAccessBlock"],
    write: ["s3:PutBucketPublicAccessBlock"],
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    read: ["s3:GetEncryptionConfiguration"],
    write: ["s3:PutEncryptionConfiguration"],
  },
  "aws:s3/bucketVersioning:BucketVersioning": {
    read: ["s3:GetBucketVersioning"],
    write: ["s3:PutBucketVersioning"],
  },
};
