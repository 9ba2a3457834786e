import type { PolicyDocument } from "../declared-program.ts";

/**
 * What AWS's own policies allow, by the part of their ARN that follows the partition; as the "AWS Managed Policy Reference Guide"
 * shows them. One that is missing here is refused, since nobody then knows what it grants.
 */
const DOCUMENTS: Readonly<Record<string, (partition: string) => PolicyDocument>> = {
  "iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole": (partition) => ({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "EnableCreationAndManagementOfRDSCloudwatchLogGroups",
        Effect: "Allow",
        Action: ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
        Resource: [`arn:${partition}:logs:*:*:log-group:RDS*`],
      },
      {
        Sid: "EnableCreationAndManagementOfRDSCloudwatchLogStreams",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "logs:GetLogEvents"],
        Resource: [`arn:${partition}:logs:*:*:log-group:RDS*:log-stream:*`],
      },
    ],
  }),
};

/** The document of one of AWS's policies; undefined where it is not known here, or of another partition. */
export function managedPolicy(arn: string, partition: string): PolicyDocument | undefined {
  const prefix = `arn:${partition}:`;
  return arn.startsWith(prefix) ? DOCUMENTS[arn.slice(prefix.length)]?.(partition) : undefined;
}
