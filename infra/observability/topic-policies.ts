import { type Account, keyOfAccount, type PolicyDocument, type Statement } from "../iam.ts";

/** Who may publish: exactly the alarms, the database and the rules of this stack. */
export interface Publishers {
  readonly alarmArns: readonly string[];
  /** ARN of the instance whose events RDS tells. */
  readonly instanceArn: string;
  readonly ruleArns: readonly string[];
}

/** ARN of a topic, known before it exists: its key must name it. */
export function topicArnOf(name: string, { partition, region, accountId }: Account): string {
  return `arn:${partition}:sns:${region}:${accountId}:${name}`;
}

/** ARN of an alarm, from its name. */
export function alarmArnOf(name: string, { partition, region, accountId }: Account): string {
  return `arn:${partition}:cloudwatch:${region}:${accountId}:alarm:${name}`;
}

/**
 * Lets CloudWatch, EventBridge and RDS publish to the topic: each for its own resources of this account, so that nobody else's
 * alarm, rule or database can use them to reach the on-call ("The confused deputy problem"). Nobody publishes without TLS.
 *
 * `aws:SourceArn` is what EventBridge names the rule by ("Using IAM policy conditions in Amazon EventBridge"). An older edition of
 * its guide had no conditions in topic policies; should an account still be so, the alarm events-undelivered tells.
 */
export function topicPolicy(
  topicArn: string,
  { alarmArns, instanceArn, ruleArns }: Publishers,
  account: Account,
): PolicyDocument {
  const publish = (Sid: string, service: string, sources: readonly string[]): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "sns:Publish",
    Resource: topicArn,
    Condition: {
      StringEquals: { "aws:SourceAccount": account.accountId },
      ArnEquals: { "aws:SourceArn": sources },
    },
  });
  return {
    Version: "2012-10-17",
    Statement: [
      publish("AlarmsPublish", "cloudwatch.amazonaws.com", alarmArns),
      publish("EventsPublish", "events.amazonaws.com", ruleArns),
      // "Granting permissions to publish notifications to an Amazon SNS topic", Amazon RDS User Guide.
      publish("DatabasePublishes", "events.rds.amazonaws.com", [instanceArn]),
      {
        Sid: "NobodyWithoutTls",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "sns:Publish",
        Resource: topicArn,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  };
}

/** What SNS asks the key for on behalf of whoever publishes. */
const USE = ["kms:Decrypt", "kms:GenerateDataKey"] as const;

/**
 * The policy of the topic's own key. A publisher that may not use the key publishes nothing, and nothing says so: the default key
 * alias/aws/sns admits neither service.
 *
 * CloudWatch is held to this stack's alarms, and RDS to its database. EventBridge cannot be: "Adding the aws:SourceAccount, aws:SourceArn, and
 * aws:SourceOrgID to a AWS KMS policy is not supported for EventBridge-to-encrypted topics" ("Key management", Amazon SNS
 * Developer Guide), and such a condition would drop every event. All are held to the one topic, by the encryption context that
 * SNS gives; who may publish to that is for the topic's policy, where EventBridge is held to this stack's rules.
 */
export function topicKeyPolicy(
  topicArn: string,
  { alarmArns, instanceArn }: Omit<Publishers, "ruleArns">,
  account: Account,
): PolicyDocument {
  const ofTopic = { "kms:EncryptionContext:aws:sns:topicArn": topicArn };
  const administer = keyOfAccount(account);
  const use = (Sid: string, service: string, sources: readonly string[]): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: USE,
    Resource: "*",
    Condition: {
      StringEquals: { "aws:SourceAccount": account.accountId, ...ofTopic },
      ArnEquals: { "aws:SourceArn": sources },
    },
  });
  return {
    ...administer,
    Statement: [
      ...administer.Statement,
      use("AlarmsUseKey", "cloudwatch.amazonaws.com", alarmArns),
      {
        Sid: "EventsUseKey",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: USE,
        Resource: "*",
        Condition: { StringEquals: ofTopic },
      },
      use("DatabaseUsesKey", "events.rds.amazonaws.com", [instanceArn]),
    ],
  };
}
