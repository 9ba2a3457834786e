import { lookUpAccount } from "./infra/account.ts";
import { loadConfiguration } from "./infra/config.ts";
import { SERVICE_PORT } from "./infra/containers.ts";
import { Database } from "./infra/database.ts";
import { ApplicationImage } from "./infra/image.ts";
import { LoadBalancer } from "./infra/load-balancer.ts";
import { stackPrefix } from "./infra/names.ts";
import { Network } from "./infra/network.ts";
import { Observability } from "./infra/observability.ts";
import { DatabaseProxy } from "./infra/proxy.ts";
import { Service } from "./infra/service.ts";
import { ServiceIdentity } from "./infra/service-identity.ts";

const { network: networkConfiguration, roles, logRetentionDays, timeouts, ...configuration } = loadConfiguration();
const account = lookUpAccount();
const logs = { logRetentionDays, retainLogs: configuration.database.deletionProtection };

const network = new Network("network", { network: networkConfiguration, ...logs, ...roles, account });
const { vpcId, isolatedSubnetIds } = network;

const database = new Database("database", {
  database: configuration.database,
  vpcId,
  subnetIds: isolatedSubnetIds,
  ...logs,
  ...roles,
  account,
});
const proxy = new DatabaseProxy("proxy", {
  database,
  vpcId,
  subnetIds: isolatedSubnetIds,
  maxConnectionsPercent: configuration.proxy.maxConnectionsPercent,
  borrowTimeoutSeconds: timeouts.borrow,
  idleClientTimeoutSeconds: timeouts.proxyIdleClient,
  ...logs,
  ...roles,
  account,
});
const loadBalancer = new LoadBalancer("load-balancer", {
  entrance: configuration.entrance,
  vpcId,
  vpcCidr: network.cidr,
  subnetIds: network.publicSubnetIds,
  targetPort: SERVICE_PORT,
  healthCheckPath: "/livez",
  idleTimeoutSeconds: timeouts.loadBalancerIdle,
  deregistrationDelaySeconds: timeouts.drain,
  logRetentionDays,
  protected: configuration.database.deletionProtection,
  account,
});

const image = new ApplicationImage("application", {
  cpuArchitecture: configuration.service.cpuArchitecture,
  protected: configuration.database.deletionProtection,
  digest: configuration.service.imageDigest,
});
const identity = new ServiceIdentity("service", {
  vpcId,
  repositoryArn: image.repositoryArn,
  ...logs,
  ...roles,
  account,
});
const grant = proxy.grantConnect(identity.taskRole, configuration.database.user, identity.securityGroup);
const service = new Service("service", {
  service: configuration.service,
  timeouts,
  identity,
  database: grant,
  image,
  network,
  loadBalancer,
  region: account.region,
});
const observability = new Observability("observability", {
  prefix: stackPrefix(),
  database,
  proxy,
  service,
  loadBalancer,
  sizes: { timeouts, ...configuration.database, ...configuration.service },
  logGroupName: identity.logGroup.name,
  alarms: configuration.alarms,
  account,
});

export const serviceUrl = loadBalancer.url;
export const proxyEndpoint = proxy.endpoint;
export const proxyName = proxy.proxyName;
export const proxyArn = proxy.arn;
export const proxyTargetGroup = proxy.targetGroupName;
export const databaseIdentifier = database.instanceIdentifier;
export const secretArn = database.authentication.secretArn;
export const clusterName = service.clusterName;
export const serviceName = service.serviceName;
export const imageRepositoryUrl = image.repositoryUrl;
export const imageDigest = image.digest;
export const logGroupName = identity.logGroup.name;
export const alarmTopicArn = observability.topicArn;
export const dashboardName = observability.dashboardName;
export const region = account.region;
