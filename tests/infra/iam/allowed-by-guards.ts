import { type Allowed, administratorOf, NOTHING_BESIDE } from "./asked.ts";
import { accessLog, type Scene } from "./scene.ts";

/** Other ways to a session of a role, and what a session may carry: a trust names `sts:AssumeRole` alone. */
const OTHER_SESSIONS = [
  "sts:AssumeRoleWithSAML",
  "sts:AssumeRoleWithWebIdentity",
  "sts:SetSourceIdentity",
  "sts:TagSession",
];

const TRUST_RDS: Allowed = {
  says: "RDS assumes the proxy's role",
  nearMisses: 23,
  asks: ({ proxyRole }) => ({
    question: { principal: "rds.amazonaws.com", action: "sts:AssumeRole", resource: proxyRole },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
};

const TRUST_ECS: readonly Allowed[] = (["taskRole", "executionRole"] as const).map((role) => ({
  says: `ECS assumes the ${role} for a task of this account and region`,
  nearMisses: 34,
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
  nearMisses: 19,
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

const TRUST_FLOW_LOGS: Allowed = {
  says: "flow logs of this account and region assume the role that writes them",
  nearMisses: 34,
  asks: ({ place, flowLogsRole }) => ({
    question: {
      principal: "vpc-flow-logs.amazonaws.com",
      action: "sts:AssumeRole",
      resource: flowLogsRole,
      context: {
        "aws:SourceAccount": place.accountId,
        "aws:SourceArn": `arn:${place.partition}:ec2:${place.region}:${place.accountId}:vpc-flow-log/fl-0123456789abcdef0`,
      },
    },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
  }),
};

const TRUST_MONITORING: Allowed = {
  says: "enhanced monitoring of the one instance assumes its role",
  nearMisses: 35,
  asks: ({ place, monitoringRole, database }) => ({
    question: {
      principal: "monitoring.rds.amazonaws.com",
      action: "sts:AssumeRole",
      resource: monitoringRole,
      context: { "aws:SourceAccount": place.accountId, "aws:SourceArn": database },
    },
    ...NOTHING_BESIDE,
    otherActions: OTHER_SESSIONS,
    otherSources: [`${database}0`],
  }),
};

const WRITE_ACCESS_LOG: Allowed = {
  says: "a load balancer of this account and region writes its access log",
  nearMisses: 33,
  asks: (scene) => ({
    question: {
      principal: "logdelivery.elasticloadbalancing.amazonaws.com",
      action: "s3:PutObject",
      resource: accessLog(scene),
      context: { "aws:SourceArn": scene.loadBalancer, "aws:SecureTransport": "true" },
    },
    ids: [],
    otherResources: [
      accessLog(scene, `AWSLogs/${scene.elsewhere.accountId}/elasticloadbalancing/x.log.gz`),
      accessLog(scene, "x.log.gz"),
      accessLog(scene, `prefix/AWSLogs/${scene.place.accountId}/x.log.gz`),
    ],
    otherActions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObjectAcl"],
  }),
};

/** Who tells the topic: the service, and which of the scene's resources it does so for. */
const PUBLISHERS = [
  ["CloudWatch", "cloudwatch.amazonaws.com", "alarm"],
  ["EventBridge", "events.amazonaws.com", "rule"],
  ["RDS", "events.rds.amazonaws.com", "database"],
] as const;

type Source = (typeof PUBLISHERS)[number][2];

/** Sources that are near one: named almost alike, and those of the others who publish. */
function otherSources(scene: Scene, own: Source): readonly string[] {
  const others = PUBLISHERS.flatMap(([, , source]) => (source === own ? [] : [scene[source]]));
  return [`${scene[own]}0`, ...others];
}

const PUBLISH: readonly Allowed[] = PUBLISHERS.map(([service, principal, source]) => ({
  says: `${service} tells the topic of its ${source}`,
  nearMisses: 39,
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
    otherSources: otherSources(scene, source),
  }),
}));

/** For EventBridge SNS asks the key without the source: "Key management", Amazon SNS Developer Guide. */
const ENCRYPT_ALARMS: readonly Allowed[] = PUBLISHERS.flatMap(([service, principal, source]) =>
  ["kms:Decrypt", "kms:GenerateDataKey"].map((action) => ({
    says: `${service} uses the topic's key (${action})`,
    nearMisses: source === "rule" ? 27 : 40,
    asks: (scene) => ({
      question: {
        principal,
        action,
        resource: scene.topicKey,
        context: {
          "kms:EncryptionContext:aws:sns:topicArn": scene.topic,
          ...(source === "rule" ? {} : { "aws:SourceAccount": scene.place.accountId, "aws:SourceArn": scene[source] }),
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
      ...(source === "rule" ? {} : { otherSources: otherSources(scene, source), alsoBy: ["events.amazonaws.com"] }),
    }),
  })),
);

/** What the trusts of the roles are for, and the policies of the keys, of the topic and of the bucket. */
export const ALLOWED_BY_GUARDS: readonly Allowed[] = [
  TRUST_RDS,
  ...TRUST_ECS,
  TRUST_FLOW_LOGS,
  TRUST_MONITORING,
  ...ADMINISTER_KEYS,
  WRITE_ACCESS_LOG,
  ...PUBLISH,
  ...ENCRYPT_ALARMS,
];
