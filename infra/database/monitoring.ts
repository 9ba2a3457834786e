import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account, PolicyDocument } from "../iam.ts";
import { role } from "../roles.ts";

/** Seconds between two samples of the operating system's metrics: the coarsest that RDS offers, and as fine as the alarms look. */
export const MONITORING_INTERVAL_SECONDS = 60;

/** The instance that is monitored, and what holds for every role. */
export interface MonitoringArgs {
  /** Identifier of the instance, known before it exists. */
  readonly identifier: string;
  readonly permissionsBoundaryArn: pulumi.Input<string> | undefined;
  readonly account: pulumi.Output<Account>;
}

/**
 * Makes the role by which RDS writes the operating system's metrics of one instance to CloudWatch Logs ("Setting up and enabling
 * Enhanced Monitoring"). What it may do is AWS's own policy for it, since AWS alone knows what it writes.
 *
 * @returns the role, and what must exist before the instance uses it
 */
export function createMonitoringRole(
  name: string,
  { identifier, permissionsBoundaryArn, account }: MonitoringArgs,
  parent: pulumi.Resource,
): readonly [aws.iam.Role, pulumi.Resource] {
  const trust = account.apply((where) => trustMonitoring(instanceArn(identifier, where)));
  const monitor = role(`${name}-monitoring`, { trust, permissionsBoundaryArn }, { parent });
  const policyArn = pulumi.interpolate`arn:${account.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole`;
  const attached = new aws.iam.RolePolicyAttachment(
    `${name}-monitoring`,
    { role: monitor.name, policyArn },
    { parent },
  );
  return [monitor, attached];
}

/** ARN of an instance, from its identifier. */
export function instanceArn(identifier: string, { partition, region, accountId }: Account): string {
  return `arn:${partition}:rds:${region}:${accountId}:db:${identifier}`;
}

/** Lets enhanced monitoring of one instance assume the role ("Protecting against the confused deputy problem" of the same page). */
function trustMonitoring(arn: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "monitoring.rds.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": arn.split(":")[4] ?? "" },
          ArnLike: { "aws:SourceArn": arn },
        },
      },
    ],
  };
}
