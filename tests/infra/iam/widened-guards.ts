import { action, alongside, condition, principal, type Widening } from "./widen.ts";

const SECRET_KEY = { of: ["Key", "database-secret"], statement: 0 } as const;
const STORAGE_KEY = { of: ["Key", "database-storage"], statement: 0 } as const;
const ALARMS_PUBLISH = { of: ["TopicPolicy", "observability-alarms"], statement: 0 } as const;
const EVENTS_PUBLISH = { of: ["TopicPolicy", "observability-alarms"], statement: 1 } as const;
const DATABASE_PUBLISHES = { of: ["TopicPolicy", "observability-alarms"], statement: 2 } as const;
const WITHOUT_TLS = { of: ["TopicPolicy", "observability-alarms"], statement: 3 } as const;
const ALARMS_USE_KEY = { of: ["Key", "observability-alarms"], statement: 1 } as const;
const EVENTS_USE_KEY = { of: ["Key", "observability-alarms"], statement: 2 } as const;
const DATABASE_USES_KEY = { of: ["Key", "observability-alarms"], statement: 3 } as const;
const WRITE_ACCESS_LOGS = { of: ["BucketPolicy", "load-balancer-logs"], statement: 0 } as const;
const BUCKET_WITHOUT_TLS = { of: ["BucketPolicy", "load-balancer-logs"], statement: 1 } as const;

const OWN_ACCOUNT = "123456789012";
const OWN_ROOT = { AWS: `arn:aws:iam::${OWN_ACCOUNT}:root` };
const OTHER_ROOT = { AWS: "arn:aws:iam::210987654321:root" };
const OF_ACCOUNT = { StringEquals: { "aws:SourceAccount": OWN_ACCOUNT } };

/** Slips of the pen in whom production's keys, topic and bucket admit. */
export const WIDENED_GUARDS: readonly Widening[] = [
  {
    says: "the secret's key for everybody's decrypts",
    ...SECRET_KEY,
    becomes: alongside({ Principal: "*", Action: "kms:Decrypt", Resource: "*" }),
    possible: ["kms:Decrypt"],
    allowed: ["kms:ViaService", "principal"],
  },
  {
    says: "the secret's key for another account",
    ...SECRET_KEY,
    becomes: principal({ AWS: [OWN_ROOT.AWS, OTHER_ROOT.AWS] }),
    possible: [],
    allowed: ["principal"],
  },
  {
    says: "the storage key for a service",
    ...STORAGE_KEY,
    becomes: alongside({ Principal: { Service: "rds.amazonaws.com" }, Action: "kms:CreateGrant", Resource: "*" }),
    possible: ["kms:CreateGrant"],
    allowed: [],
  },
  {
    says: "the topic for alarms of the account",
    ...ALARMS_PUBLISH,
    becomes: condition(OF_ACCOUNT),
    possible: [],
    allowed: ["aws:SourceArn", "principal"],
  },
  {
    says: "the topic for every alarm of the account",
    ...ALARMS_PUBLISH,
    becomes: condition({
      ...OF_ACCOUNT,
      ArnLike: { "aws:SourceArn": `arn:aws:cloudwatch:eu-west-2:${OWN_ACCOUNT}:alarm:*` },
    }),
    possible: [],
    allowed: ["aws:SourceArn"],
  },
  {
    says: "the topic for anybody's rules",
    ...EVENTS_PUBLISH,
    becomes: condition(undefined),
    possible: [],
    allowed: ["aws:SourceAccount", "aws:SourceArn", "context", "principal"],
  },
  {
    says: "the topic for everybody",
    ...EVENTS_PUBLISH,
    becomes: principal("*"),
    possible: ["sns:Publish"],
    allowed: ["aws:SourceArn", "principal"],
  },
  {
    says: "the topic without TLS",
    ...WITHOUT_TLS,
    becomes: () => [],
    possible: [],
    allowed: ["aws:SecureTransport"],
  },
  {
    says: "the topic's key for other alarms",
    ...ALARMS_USE_KEY,
    becomes: ({ Condition, ...statement }) => ({
      ...statement,
      Condition: { StringEquals: (Condition as { readonly StringEquals: unknown }).StringEquals },
    }),
    possible: [],
    allowed: ["aws:SourceArn", "principal"],
  },
  {
    says: "the topic's key for other topics",
    ...EVENTS_USE_KEY,
    becomes: condition(undefined),
    possible: [],
    allowed: ["kms:EncryptionContext:aws:sns:topicArn"],
  },
  {
    says: "the topic's key for all that KMS does",
    ...EVENTS_USE_KEY,
    becomes: action("kms:ReEncrypt*"),
    possible: ["kms:ReEncryptFrom", "kms:ReEncryptTo"],
    allowed: [],
  },
  {
    says: "the topic for every database of the account",
    ...DATABASE_PUBLISHES,
    becomes: condition(OF_ACCOUNT),
    possible: [],
    allowed: ["aws:SourceArn", "principal"],
  },
  {
    says: "the topic's key for RDS's anything",
    ...DATABASE_USES_KEY,
    becomes: condition(undefined),
    possible: [],
    allowed: ["aws:SourceAccount", "aws:SourceArn", "context", "kms:EncryptionContext:aws:sns:topicArn", "principal"],
  },
  {
    says: "the bucket of access logs for anybody's load balancers",
    ...WRITE_ACCESS_LOGS,
    becomes: condition(undefined),
    possible: [],
    allowed: ["aws:SourceArn"],
  },
  {
    says: "all of the bucket of access logs",
    ...WRITE_ACCESS_LOGS,
    becomes: ({ Resource, ...statement }) => ({ ...statement, Resource: String(Resource).replace(/\/.*/, "/*") }),
    possible: ["s3:PutObject"],
    allowed: ["resource"],
  },
  {
    says: "the bucket of access logs for reading",
    ...WRITE_ACCESS_LOGS,
    becomes: action("s3:GetObject"),
    possible: ["s3:GetObject"],
    allowed: ["action"],
  },
  {
    says: "the bucket of access logs for everybody",
    ...WRITE_ACCESS_LOGS,
    becomes: principal("*"),
    possible: ["s3:PutObject"],
    allowed: ["principal"],
  },
  {
    says: "the bucket of access logs without TLS",
    ...BUCKET_WITHOUT_TLS,
    becomes: () => [],
    possible: [],
    allowed: ["aws:SecureTransport"],
  },
];
