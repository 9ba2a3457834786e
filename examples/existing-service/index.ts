import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ExistingDatabase } from "../../infra/existing-database.ts";
import { DatabaseProxy } from "../../infra/proxy.ts";

const config = new pulumi.Config();
const user = config.require("databaseUser");

const database = new ExistingDatabase("database", {
  instanceIdentifier: config.require("databaseIdentifier"),
  user,
  databaseName: config.get("databaseName") || undefined,
  securityGroupId: config.get("databaseSecurityGroupId") || undefined,
});
const proxy = new DatabaseProxy("proxy", {
  database,
  vpcId: database.vpcId,
  subnetIds: database.subnetIds,
  maxConnectionsPercent: config.requireNumber("maxConnectionsPercent"),
});

// Looked up, so that a name that does not exist fails in the preview.
const taskRole = aws.iam.getRoleOutput({ name: config.require("taskRoleName") });
const securityGroup = aws.ec2.getSecurityGroupOutput({
  id: config.require("serviceSecurityGroupId"),
  vpcId: database.vpcId,
});
const grant = proxy.grantConnect(taskRole, user, securityGroup);

/** What the service's containers need to be told, in place of a password. */
export const environment = {
  DB_HOST: grant.host,
  DB_PORT: String(grant.port),
  POSTGRES_DB: grant.databaseName,
  POSTGRES_USER: grant.user,
  AWS_REGION: aws.getRegionOutput().region,
};
export const proxyEndpoint = proxy.endpoint;
export const proxyName = proxy.proxyName;
