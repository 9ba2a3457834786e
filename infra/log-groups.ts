import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface LogGroupArgs {
  /** Full name, where AWS writes to a group of that name; Pulumi makes one otherwise. A change replaces the group. */
  readonly name?: pulumi.Input<string>;
  /** Days that events are kept. */
  readonly logRetentionDays: number;
  /**
   * Whether the group stays when the stack no longer declares it. Default false. A proxy or database that is replaced writes to
   * another group, and what its predecessor logged is evidence until it expires. Never protected for that reason: a protected group
   * would hold up the replacement. A group that stayed and is declared again under its name must be imported (`pulumi import`).
   */
  readonly retainLogs?: boolean | undefined;
}

/** The one form of log group here: events expire, and the group does not vanish with what wrote to it. */
export function logGroup(
  name: string,
  { name: fullName, logRetentionDays, retainLogs = false }: LogGroupArgs,
  opts: pulumi.CustomResourceOptions,
): aws.cloudwatch.LogGroup {
  return new aws.cloudwatch.LogGroup(
    name,
    { ...(fullName === undefined ? {} : { name: fullName }), retentionInDays: logRetentionDays },
    { ...opts, retainOnDelete: retainLogs },
  );
}
