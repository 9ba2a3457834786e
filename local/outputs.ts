import { ACCOUNT_OUTPUTS } from "./outputs/account.ts";
import {
  type Computed,
  type ComputeOutputs,
  digits,
  type Made,
  named,
  type Properties,
  text,
  uuid,
} from "./outputs/computed.ts";
import { DATABASE_OUTPUTS } from "./outputs/database.ts";
import { ENTRANCE_OUTPUTS } from "./outputs/entrance.ts";
import { EXISTING_ANSWERS } from "./outputs/existing.ts";
import { NETWORK_OUTPUTS, routeTableOf } from "./outputs/network.ts";
import { OBSERVABILITY_OUTPUTS } from "./outputs/observability.ts";
import { REGISTRY_OUTPUTS } from "./outputs/registry.ts";
import { accountHash, arn, globalArn, hex, type Place } from "./place.ts";

export type { Computed, ComputeOutputs, Made, Properties };

/** Result of a function of a provider. */
export type Answer = (args: Properties, place: Place) => Properties;

/**
 * The outputs that AWS would compute, by type of resource, in the form in which AWS gives them. Whoever evaluates the program
 * without AWS takes them from here; nothing here knows how. A type that is missing is an error there, never `undefined`.
 */
export const OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  ...ACCOUNT_OUTPUTS,
  ...DATABASE_OUTPUTS,
  ...ENTRANCE_OUTPUTS,
  ...NETWORK_OUTPUTS,
  ...OBSERVABILITY_OUTPUTS,
  ...REGISTRY_OUTPUTS,
  "aws:appautoscaling/policy:Policy": (made, place) => ({
    id: made.name,
    outputs: { name: made.name, arn: arn(place, "autoscaling", `scalingPolicy:${uuid(made)}:policyName/${made.name}`) },
  }),
  "aws:appautoscaling/target:Target": ({ inputs }, place) => ({
    id: text(inputs.resourceId),
    outputs: { arn: arn(place, "application-autoscaling", `scalable-target/${hex(text(inputs.resourceId), 12)}`) },
  }),
  "aws:cloudwatch/logGroup:LogGroup": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "logs", `log-group:${name}`) } };
  },
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ({ inputs }, place) => {
    const id = `sg-${hex(`${text(inputs.vpcId)} default`)}`;
    return {
      id,
      outputs: { arn: arn(place, "ec2", `security-group/${id}`), name: "default", ownerId: place.accountId },
    };
  },
  "aws:ec2/flowLog:FlowLog": (made, place) => {
    const id = `fl-${digits(made)}`;
    return { id, outputs: { arn: arn(place, "ec2", `vpc-flow-log/${id}`) } };
  },
  "aws:ec2/securityGroup:SecurityGroup": (made, place) => {
    const id = `sg-${digits(made)}`;
    return {
      id,
      outputs: { arn: arn(place, "ec2", `security-group/${id}`), name: named(made), ownerId: place.accountId },
    };
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": (made, place) => {
    const id = `vpce-${digits(made)}`;
    const prefixListId = made.inputs.vpcEndpointType === "Gateway" ? `pl-${hex(text(made.inputs.serviceName), 8)}` : "";
    return { id, outputs: { arn: arn(place, "ec2", `vpc-endpoint/${id}`), state: "available", prefixListId } };
  },
  "aws:ecs/cluster:Cluster": (made, place) => {
    const name = named(made);
    const clusterArn = arn(place, "ecs", `cluster/${name}`);
    return { id: clusterArn, outputs: { arn: clusterArn, name } };
  },
  "aws:ecs/service:Service": (made, place) => {
    const name = named(made);
    const serviceArn = arn(place, "ecs", `service/${text(made.inputs.cluster).split("/").at(-1)}/${name}`);
    return { id: serviceArn, outputs: { arn: serviceArn, name } };
  },
  "aws:ecs/taskDefinition:TaskDefinition": ({ name, inputs, predecessors = 0 }, place) => {
    const family = text(inputs.family ?? name);
    const withoutRevision = arn(place, "ecs", `task-definition/${family}`);
    const revision = predecessors + 1;
    return {
      id: family,
      outputs: { arn: `${withoutRevision}:${revision}`, arnWithoutRevision: withoutRevision, revision, family },
    };
  },
  "aws:iam/role:Role": (made, place) => {
    const name = named(made);
    const uniqueId = `AROA${hex(name, 17).toUpperCase()}`;
    return {
      id: name,
      outputs: { arn: globalArn(place, "iam", `role${text(made.inputs.path ?? "/")}${name}`), name, uniqueId },
    };
  },
  "aws:iam/rolePolicy:RolePolicy": (made) => {
    const name = named(made);
    return { id: `${text(made.inputs.role)}:${name}`, outputs: { name } };
  },
  "aws:kms/key:Key": (made, place) => {
    const keyId = uuid(made);
    return { id: keyId, outputs: { keyId, arn: arn(place, "kms", `key/${keyId}`) } };
  },
  "aws:lb/listener:Listener": (made, place) => {
    const balancer = text(made.inputs.loadBalancerArn).split(":loadbalancer/").at(-1);
    const listenerArn = arn(place, "elasticloadbalancing", `listener/${balancer}/${digits(made, 16)}`);
    return { id: listenerArn, outputs: { arn: listenerArn } };
  },
  "aws:lb/loadBalancer:LoadBalancer": (made, place) => {
    const name = named(made);
    const suffix = `app/${name}/${digits(made, 16)}`;
    const balancerArn = arn(place, "elasticloadbalancing", `loadbalancer/${suffix}`);
    const host = `${made.inputs.internal === true ? "internal-" : ""}${name}-1234567890`;
    const dnsName = `${host}.${place.region}.elb.${place.dnsSuffix}`;
    return {
      id: balancerArn,
      outputs: { arn: balancerArn, arnSuffix: suffix, dnsName, name, zoneId: "ZHURV8PSTC4K8" },
    };
  },
  "aws:lb/targetGroup:TargetGroup": (made, place) => {
    const name = named(made);
    const suffix = `targetgroup/${name}/${digits(made, 16)}`;
    const groupArn = arn(place, "elasticloadbalancing", suffix);
    return { id: groupArn, outputs: { arn: groupArn, arnSuffix: suffix, name } };
  },
  "aws:rds/instance:Instance": (made, place) => {
    const identifier = text(made.inputs.identifier ?? made.name);
    const resourceId = `db-${hex(identifier, 26).toUpperCase()}`;
    const address = `${identifier}.${accountHash(place)}.${place.region}.rds.${place.dnsSuffix}`;
    const secretName = `rds!${resourceId.toLowerCase()}`;
    const secret = {
      secretArn: arn(place, "secretsmanager", `secret:${secretName}-${hex(secretName, 6)}`),
      kmsKeyId: made.inputs.masterUserSecretKmsKeyId ?? arn(place, "kms", `key/${uuid(made)}`),
      secretStatus: "active",
    };
    return {
      id: resourceId,
      outputs: {
        arn: arn(place, "rds", `db:${identifier}`),
        identifier,
        resourceId,
        address,
        endpoint: `${address}:${text(made.inputs.port ?? 5432)}`,
        status: "available",
        engineVersionActual: `${text(made.inputs.engineVersion)}.6`,
        masterUserSecrets: made.inputs.manageMasterUserPassword === true ? [secret] : [],
      },
    };
  },
  "aws:rds/parameterGroup:ParameterGroup": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "rds", `pg:${name}`) } };
  },
  "aws:rds/proxy:Proxy": (made, place) => {
    const name = named(made);
    const endpoint = `${name}.proxy-${accountHash(place)}.${place.region}.rds.${place.dnsSuffix}`;
    return { id: name, outputs: { name, endpoint, arn: arn(place, "rds", `db-proxy:prx-${hex(name)}`) } };
  },
  "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": ({ inputs }, place) => {
    const proxy = text(inputs.dbProxyName);
    return { id: proxy, outputs: { name: "default", arn: arn(place, "rds", `target-group:prx-tg-${hex(proxy)}`) } };
  },
  "aws:rds/proxyTarget:ProxyTarget": ({ inputs }, place) => {
    const instance = text(inputs.dbInstanceIdentifier);
    return {
      id: `${text(inputs.dbProxyName)}/${text(inputs.targetGroupName)}/RDS_INSTANCE/${instance}`,
      outputs: {
        endpoint: `${instance}.${accountHash(place)}.${place.region}.rds.${place.dnsSuffix}`,
        port: 5432,
        rdsResourceId: instance,
        targetArn: "",
        trackedClusterId: "",
        type: "RDS_INSTANCE",
      },
    };
  },
  "aws:rds/subnetGroup:SubnetGroup": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "rds", `subgrp:${name}`) } };
  },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (made, place) => rule(made, place),
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (made, place) => rule(made, place),
};

/** What AWS would answer to a provider's functions, by token. */
export const ANSWERS: Readonly<Record<string, Answer>> = {
  ...EXISTING_ANSWERS,
  "aws:index/getCallerIdentity:getCallerIdentity": (_args, place) => ({
    id: place.accountId,
    accountId: place.accountId,
    arn: globalArn(place, "iam", "user/evaluation"),
    userId: "AIDAEVALUATION",
  }),
  "aws:index/getPartition:getPartition": (_args, { partition, dnsSuffix }) => ({
    id: partition,
    partition,
    dnsSuffix,
    reverseDnsPrefix: dnsSuffix.split(".").reverse().join("."),
  }),
  "aws:index/getRegion:getRegion": (_args, { region, dnsSuffix }) => ({
    id: region,
    name: region,
    region,
    description: region,
    endpoint: `ec2.${region}.${dnsSuffix}`,
  }),
  "aws:ec2/getPrefixList:getPrefixList": ({ name }) => ({
    id: `pl-${hex(text(name), 8)}`,
    name,
    cidrBlocks: ["52.95.150.0/24"],
  }),
  "aws:ec2/getVpcEndpointService:getVpcEndpointService": ({ filters, serviceType }, { region }) => {
    const { values } = only(filters) as { readonly values: readonly string[] };
    // Of ECR China has names of its own; S3 and CloudWatch Logs are named there as everywhere.
    const own = values.filter((name) => /\.ecr\.(?:api|dkr)$/.test(name) && name.startsWith("cn."));
    const serviceName = text(own[0] ?? values.find((name) => name.startsWith(`com.amazonaws.${region}.`)));
    return { id: hex(serviceName), serviceName, serviceType, vpcEndpointPolicySupported: true };
  },
  "aws:ec2/getRouteTable:getRouteTable": ({ subnetId }) => {
    const routeTableId = routeTableOf(text(subnetId));
    return { id: routeTableId, routeTableId, subnetId };
  },
  "aws:ec2/getVpc:getVpc": ({ id }, place) => ({
    id,
    cidrBlock: "172.31.0.0/16",
    arn: arn(place, "ec2", `vpc/${text(id)}`),
  }),
};

function rule(made: Made, place: Place): Computed {
  const id = `sgr-${digits(made)}`;
  return { id, outputs: { securityGroupRuleId: id, arn: arn(place, "ec2", `security-group-rule/${id}`) } };
}

function only(value: unknown): unknown {
  if (Array.isArray(value) && value.length === 1) return value[0];
  throw new TypeError(`expected one item, got ${JSON.stringify(value)}`);
}
