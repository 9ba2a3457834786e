import type { EventAlarm, EventMatch } from "./alarm.ts";
import type { Subject } from "./subject.ts";

/**
 * Proxy events that someone must act on ("Working with RDS Proxy events"): 0243 no IP addresses left to grow, 0275 clients
 * throttled, 0205 the proxy deleted, 0214 its target deleted. Creation and changes (0203, 0204, 0206 to 0208, 0213) are what
 * deployments make; 0215 is of clusters.
 */
const PROXY_EVENTS = ["RDS-EVENT-0243", "RDS-EVENT-0275", "RDS-EVENT-0205", "RDS-EVENT-0214"] as const;

/** Alarms on events. */
export function eventAlarms(subject: Subject): readonly EventAlarm[] {
  return [
    {
      key: "rotation-failed",
      side: "database",
      meaning: "A rotation of the master secret failed or was given up",
      event: rotation(subject, ["RotationFailed", "RotationAbandoned"]),
      says: "$.detail.eventName",
    },
    {
      key: "proxy-events",
      side: "proxy",
      meaning: "RDS Proxy reports a failure, or was deleted",
      event: {
        source: "aws.rds",
        detailType: "RDS DB Proxy Event",
        // By its name: the ARNs in these events have been seen with the name in place of the prx-… id.
        detail: { SourceIdentifier: [subject.proxyName], EventID: [...PROXY_EVENTS] },
        needsTrail: false,
      },
      says: "$.detail.Message",
    },
    {
      key: "deployment-rolled-back",
      side: "service",
      meaning: "A deployment failed, and the circuit breaker rolled it back",
      event: {
        source: "aws.ecs",
        detailType: "ECS Deployment State Change",
        resources: [subject.serviceArn],
        detail: { eventName: ["SERVICE_DEPLOYMENT_FAILED"] },
        needsTrail: false,
      },
      says: "$.detail.reason",
    },
  ];
}

/** Rotations that ended well: nobody is told, but the dashboard shows when they were. */
export function rotationsSucceeded(subject: Subject): EventMatch {
  return rotation(subject, ["RotationSucceeded"]);
}

/**
 * What Secrets Manager tells of a secret's rotation. It tells CloudTrail, and CloudTrail tells EventBridge ("Match AWS Secrets
 * Manager events with Amazon EventBridge"). AWS's examples have the secret under `additionalEventData`; others report it under
 * `serviceEventDetails`: either counts.
 */
function rotation({ secretArn }: Subject, eventName: readonly string[]): EventMatch {
  return {
    source: "aws.secretsmanager",
    detailType: "AWS Service Event via CloudTrail",
    detail: {
      eventSource: ["secretsmanager.amazonaws.com"],
      eventName: [...eventName],
      $or: [{ additionalEventData: { SecretId: [secretArn] } }, { serviceEventDetails: { secretId: [secretArn] } }],
    },
    needsTrail: true,
  };
}

/** The event pattern of a rule ("Amazon EventBridge event patterns"). */
export function eventPattern({ source, detailType, resources, detail }: EventMatch): object {
  return { source: [source], "detail-type": [detailType], ...(resources ? { resources: [...resources] } : {}), detail };
}
