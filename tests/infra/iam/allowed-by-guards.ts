import { type Allowed, administratorOf, NOTHING_BESIDE } from "./asked.ts";

/** Other ways to a session of a role, and what a session may carry: a trust names `sts:AssumeRole` alone. */
const OTHER_SESSIONS = [
  "sts:AssumeRoleWithSAML",
  "sts:AssumeRoleWithWebIdentity",
  "sts:SetSourceIdentity",
  "sts:TagSession",
];

const TRUST_RDS: Allowed = {
  says: "RDS assumes the proxy's role",
  nearMisses: 18,
  asks: ({ proxyRole }) => ({
    question: { principal: "rds.amazonaws.com", action: "sts:AssumeRole", resource: proxyRole },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
};

const TRUST_ECS: readonly Allowed[] = (["taskRole", "executionRole"] as const).map((role) => ({
  says: `ECS assumes the ${role} for a task of this account and region`,
  nearMisses: 29,
  asks: ({ place, [role]: resource }) => ({
    question: {
      principal: "ecs-tasks.amazonaws.com",
      action: "sts:AssumeRole",
      resource,
      context: {
        "aws:SourceAccount": place.accountId,
        "aws:SourceArn": `arn:${place.partition}:ecs:${place.region}:${place.accountId}:task/service/0123456789abcdef`,
      },
    },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
}));

const ADMINISTER_KEYS: readonly Allowed[] = (["secretKey", "storageKey", "topicKey"] as const).map((key) => ({
  says: `administrators of the account administer the ${key}`,
  nearMisses: 14,
  asks: (scene) => ({
    question: {
      principal: administratorOf(scene),
      action: "kms:PutKeyPolicy",
      resource: scene[key],
      administrator: true,
    },
    ...NOTHING_BESIDE,
  }),
}));

/** Who tells the topic of alarms: the service, and which of the scene's resources it does so for. */
const PUBLISHERS = [
  ["CloudWatch", "cloudwatch.amazonaws.com", "alarm"],
  ["EventBridge", "events.amazonaws.com", "rule"],
] as const;

const PUBLISH: readonly Allowed[] = PUBLISHERS.map(([service, principal, source]) => ({
  says: `${service} tells the topic of its ${source}`,
  nearMisses: 33,
  asks: (scene) => ({
    question: {
      principal,
      action: "sns:Publish",
      resource: scene.topic,
      context: {
        "aws:SourceAccount": scene.place.accountId,
        "aws:SourceArn": scene[source],
        "aws:SecureTransport": "true",
      },
    },
    ...NOTHING_BESIDE,
    otherActions: [
      "sns:AddPermission",
      "sns:DeleteTopic",
      "sns:GetTopicAttributes",
      "sns:RemovePermission",
      "sns:SetTopicAttributes",
      "sns:Subscribe",
    ],
    otherSources: [`${scene[source]}0`, scene[source === "alarm" ? "rule" : "alarm"]],
  }),
}));

/** For EventBridge SNS asks the key without the source: "Key management", Amazon SNS Developer Guide. */
const ENCRYPT_ALARMS: readonly Allowed[] = PUBLISHERS.flatMap(([service, principal, source]) =>
  ["kms:Decrypt", "kms:GenerateDataKey"].map((action) => ({
    says: `${service} uses the topic's key (${action})`,
    nearMisses: source === "alarm" ? 34 : 22,
    asks: (scene) => ({
      question: {
        principal,
        action,
        resource: scene.topicKey,
        context: {
          "kms:EncryptionContext:aws:sns:topicArn": scene.topic,
          ...(source === "alarm" ? { "aws:SourceAccount": scene.place.accountId, "aws:SourceArn": scene.alarm } : {}),
        },
      },
      ...NOTHING_BESIDE,
      otherActions: [
        "kms:CreateGrant",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
      ],
      ...(source === "alarm"
        ? { otherSources: [`${scene.alarm}0`, scene.rule], alsoBy: ["events.amazonaws.com"] }
        : {}),
    }),
  })),
);

/** What the trusts of the roles are for, and the policies of the keys and of the topic. */
export const ALLOWED_BY_GUARDS: readonly Allowed[] = [
  TRUST_RDS,
  ...TRUST_ECS,
  ...ADMINISTER_KEYS,
  ...PUBLISH,
  ...ENCRYPT_ALARMS,
];
