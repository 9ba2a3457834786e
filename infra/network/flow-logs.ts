import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account, PolicyDocument } from "../iam.ts";
import { logGroup } from "../log-groups.ts";
import { role } from "../roles.ts";

/** Seconds of traffic that one record sums up: the longer of the two that AWS offers, a tenth of the records of the other. */
const AGGREGATION_SECONDS = 600;

export interface FlowLogsArgs {
  readonly vpcId: pulumi.Input<string>;
  readonly logRetentionDays: number;
  readonly retainLogs: boolean;
  readonly permissionsBoundaryArn: pulumi.Input<string> | undefined;
  readonly account: pulumi.Output<Account>;
}

/** Records who talked to whom in a VPC, what was let through and what was not. */
export function createFlowLogs(name: string, args: FlowLogsArgs, parent: pulumi.Resource): void {
  const group = logGroup(`${name}-flow`, args, { parent });
  const { permissionsBoundaryArn } = args;
  const trust = args.account.apply(trustFlowLogs);
  const writer = role(`${name}-flow-logs`, { trust, permissionsBoundaryArn }, { parent });
  const policy = pulumi.jsonStringify(group.arn.apply(writeFlowLogs));
  const write = new aws.iam.RolePolicy(`${name}-flow-logs`, { role: writer.name, policy }, { parent });
  new aws.ec2.FlowLog(
    name,
    {
      vpcId: args.vpcId,
      trafficType: "ALL",
      logDestinationType: "cloud-watch-logs",
      logDestination: group.arn,
      iamRoleArn: writer.arn,
      maxAggregationInterval: AGGREGATION_SECONDS,
    },
    // A role's ARN does not wait for its policy.
    { parent, dependsOn: [write] },
  );
}

/** Lets flow logs of this account and region assume the role ("IAM role for publishing flow logs to CloudWatch Logs"). */
export function trustFlowLogs({ partition, region, accountId }: Account): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "vpc-flow-logs.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": accountId },
          ArnLike: { "aws:SourceArn": `arn:${partition}:ec2:${region}:${accountId}:vpc-flow-log/*` },
        },
      },
    ],
  };
}

/** Writing to one group. AWS's example creates and lists groups too, which nobody needs where the group is there. */
export function writeFlowLogs(logGroupArn: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "WriteFlowLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        Resource: `${logGroupArn}:*`,
      },
    ],
  };
}
