import type { ActionsByType } from "./actions.ts";

const READ_TAGS = "rds:ListTagsForResource";
const WRITE_TAGS = ["rds:AddTagsToResource", "rds:RemoveTagsFromResource"] as const;

/** The database and its proxy. What RDS does with keys and secrets on the caller's behalf stands in services.ts, with its conditions. */
export const DATABASE_ACTIONS: ActionsByType = {
  "aws:rds/eventSubscription:EventSubscription": {
    read: ["rds:DescribeEventSubscriptions", READ_TAGS],
    write: [
      "rds:AddSourceIdentifierToSubscription",
      "rds:CreateEventSubscription",
      "rds:DeleteEventSubscription",
      "rds:ModifyEventSubscription",
      "rds:RemoveSourceIdentifierFromSubscription",
      ...WRITE_TAGS,
    ],
  },
  "aws:rds/instance:Instance": {
    read: ["rds:DescribeDBInstances", READ_TAGS],
    write: [
      "rds:CreateDBInstance",
      "rds:CreateDBSnapshot",
      "rds:DeleteDBInstance",
      "rds:ModifyDBInstance",
      "rds:RebootDBInstance",
      ...WRITE_TAGS,
    ],
  },
  "aws:rds/parameterGroup:ParameterGroup": {
    read: ["rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", READ_TAGS],
    write: [
      "rds:CreateDBParameterGroup",
      "rds:DeleteDBParameterGroup",
      "rds:ModifyDBParameterGroup",
      "rds:ResetDBParameterGroup",
      ...WRITE_TAGS,
    ],
  },
  "aws:rds/proxy:Proxy": {
    read: ["rds:DescribeDBProxies", READ_TAGS],
    write: ["rds:CreateDBProxy", "rds:DeleteDBProxy", "rds:ModifyDBProxy", ...WRITE_TAGS],
  },
  "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": {
    read: ["rds:DescribeDBProxyTargetGroups"],
    write: ["rds:ModifyDBProxyTargetGroup"],
  },
  "aws:rds/proxyTarget:ProxyTarget": {
    read: ["rds:DescribeDBProxyTargets"],
    write: ["rds:DeregisterDBProxyTargets", "rds:RegisterDBProxyTargets"],
  },
  "aws:rds/subnetGroup:SubnetGroup": {
    read: ["rds:DescribeDBSubnetGroups", READ_TAGS],
    write: ["rds:CreateDBSubnetGroup", "rds:DeleteDBSubnetGroup", "rds:ModifyDBSubnetGroup", ...WRITE_TAGS],
  },
};
