import { type Control, unless, wrong } from "../control.ts";
import { parseDocument } from "../iam/document.ts";
import { label, type Resource, type Stack } from "../stack.ts";

const BALANCER = "aws:lb/loadBalancer:LoadBalancer";

/** Types of the settings of a bucket, of which the provider had two generations. */
const BLOCK = ["aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"];
const ENCRYPTION = [
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
];
const LIFECYCLE = [
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
];
const BUCKETS = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];
const POLICY = ["aws:s3/bucketPolicy:BucketPolicy"];

/** Access logs of the load balancer, and the bucket that keeps them. */
export const ACCESS_LOG_CONTROLS: readonly Control[] = [
  {
    id: "load-balancer-access-logs",
    title: "The load balancer writes access logs to a bucket of the stack",
    sources: ["ELB.5", "CKV_AWS_91", "AwsSolutions-ELB2", "elbv2_logging_enabled"],
    severity: "medium",
    selects: (stack) => stack.ofType(BALANCER),
    check: ({ fields }, stack) => {
      const logs = fields.object("accessLogs");
      const bucket = logs.text("bucket");
      const own = stack.ofType(...BUCKETS).some((candidate) => candidate.fields.text("bucket") === bucket);
      return [
        ...unless(logs.isTrue("enabled"), "accessLogs.enabled", logs.value("enabled"), "true"),
        ...unless(own, "accessLogs.bucket", bucket, "a bucket of this stack"),
      ];
    },
  },
  {
    id: "buckets-private",
    title: "No bucket can be made public",
    sources: ["S3.8", "CIS 2.1.4", "CKV2_AWS_6", "AVD-AWS-0094", "AwsSolutions-S2"],
    severity: "high",
    selects: buckets,
    check: (bucket, stack) => {
      const blocks = settingsOf(stack, bucket, BLOCK);
      if (blocks.length === 0) return ["no public access block is declared for it"];
      const open = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].filter(
        (setting) => !blocks.some(({ fields }) => fields.isTrue(setting)),
      );
      return unless(open.length === 0, "what the public access block leaves open", open, "nothing");
    },
  },
  {
    id: "buckets-encrypted",
    title: "Buckets are encrypted; that of access logs by S3's keys, the only kind that a load balancer can write to",
    sources: ["CKV_AWS_19", '"Access logs for your Application Load Balancer"'],
    severity: "medium",
    selects: buckets,
    check: (bucket, stack) => {
      const algorithms = settingsOf(stack, bucket, ENCRYPTION).flatMap(({ fields }) =>
        fields.list("rules").map((rule) => rule.object("applyServerSideEncryptionByDefault").text("sseAlgorithm")),
      );
      return unless(
        algorithms.length > 0 && algorithms.every((name) => name === "AES256"),
        "sseAlgorithm",
        algorithms,
        "AES256",
      );
    },
  },
  {
    id: "buckets-require-tls",
    title: "Buckets refuse requests without TLS",
    sources: ["S3.5", "CIS 2.1.1", "AwsSolutions-S10"],
    severity: "medium",
    selects: buckets,
    check: (bucket, stack) => {
      const denied = settingsOf(stack, bucket, POLICY)
        .flatMap(({ name, fields }) => parseDocument(fields.text("policy") ?? "", `the policy ${name}`))
        .some(
          ({ effect, conditions, principals, actions }) =>
            effect === "Deny" &&
            principals.some(({ value }) => value === "*") &&
            actions.some((action) => action === "s3:*" || action === "*") &&
            conditions.some(({ key, values }) => /^aws:SecureTransport$/i.test(key) && values.includes("false")),
        );
      return denied
        ? []
        : [wrong("a statement of its policy that denies s3:* without TLS", undefined, "one for everyone")];
    },
  },
  {
    id: "buckets-expire",
    title: "What buckets hold expires",
    sources: ["S3.13", "CKV2_AWS_61"],
    severity: "low",
    selects: buckets,
    check: (bucket, stack) => {
      const rules = settingsOf(stack, bucket, LIFECYCLE).flatMap(({ fields }) => fields.list("rules"));
      const expiring = rules.filter(
        (rule) => rule.text("status") === "Enabled" && (rule.object("expiration").number("days") ?? 0) > 0,
      );
      return unless(expiring.length > 0, `lifecycle rules of ${label(bucket)} that expire objects`, 0, "one or more");
    },
  },
];

function buckets(stack: Stack): readonly Resource[] {
  return stack.ofType(...BUCKETS);
}

function settingsOf(stack: Stack, bucket: Resource, types: readonly string[]): readonly Resource[] {
  const names = [bucket.fields.text("bucket"), stack.idOf(bucket)].filter((name) => name !== undefined);
  return stack.ofType(...types).filter(({ fields }) => names.includes(fields.text("bucket") ?? ""));
}
