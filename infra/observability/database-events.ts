import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/**
 * What RDS tells of the instance by itself ("Amazon RDS event categories and event messages"): what changes or ends its service.
 * Left out are those of every day: backup, creation, read replica, restoration.
 */
const CATEGORIES = [
  "availability",
  "configuration change",
  "deletion",
  "failover",
  "failure",
  "low storage",
  "maintenance",
  "notification",
  "recovery",
] as const;

/** "The master password for the DB instance has been reset": each rotation, a success as much as any. */
const MASTER_PASSWORD_RESET = "RDS-EVENT-0016";

/** Lets RDS tell the topic of what happens to the instance. */
export function subscribeToDatabaseEvents(
  name: string,
  args: { readonly instanceIdentifier: pulumi.Input<string>; readonly topicArn: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): void {
  new aws.rds.EventSubscription(
    name,
    {
      snsTopic: args.topicArn,
      sourceType: "db-instance",
      sourceIds: [args.instanceIdentifier],
      eventCategories: [...CATEGORIES],
    },
    opts,
  );
}

/**
 * What of the topic a person is sent: everything but the reset of the master password, of which every weekly rotation would tell.
 * Messages of others carry no such attribute ("Amazon RDS event notification tags and attributes").
 */
export const FOR_PEOPLE = {
  $or: [{ EventID: [{ exists: false }] }, { EventID: [{ "anything-but": [MASTER_PASSWORD_RESET] }] }],
} as const;
