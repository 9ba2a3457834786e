import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../iam.ts";
import { type Hop, securityGroup } from "../security-groups.ts";
import { type EndpointService, endpointPolicy } from "./endpoint-policies.ts";

/** What a task without a way out must reach to start: its image's manifest, its image's login, its log group. */
const INTERFACE_ENDPOINTS = ["ecr.api", "ecr.dkr", "logs"] as const;

export interface EndpointsArgs {
  readonly vpcId: pulumi.Input<string>;
  /** Subnets of the tasks, each with a route table of its own or one that it shares. */
  readonly subnetIds: pulumi.Output<string[]>;
  /** Number of `subnetIds`: their ids may not be known yet. */
  readonly subnetCount: number;
  readonly account: pulumi.Output<Account>;
}

/** The way to a set of endpoints. */
export interface Endpoints {
  readonly hop: Hop;
  /** Prefix list of S3, which has no security group. */
  readonly s3PrefixListId: pulumi.Output<string>;
  /** What must exist before a task can start. */
  readonly ready: readonly pulumi.Resource[];
}

/** Makes the endpoints through which a task without a way out gets its image and writes its logs. */
export function createEndpoints(name: string, args: EndpointsArgs, parent: pulumi.Resource): Endpoints {
  const { vpcId, subnetIds, account } = args;
  const group = securityGroup(
    `${name}-endpoints`,
    { description: "Interface endpoints of the isolated subnets", vpcId },
    { parent },
  );
  const interfaces = INTERFACE_ENDPOINTS.map(
    (service) =>
      new aws.ec2.VpcEndpoint(
        `${name}-${service.replace(".", "-")}`,
        {
          vpcId,
          vpcEndpointType: "Interface",
          serviceName: serviceName(service, "Interface", account, parent),
          subnetIds,
          securityGroupIds: [group.id],
          privateDnsEnabled: true,
          policy: policyOf(service, account),
        },
        { parent },
      ),
  );
  const s3 = createS3Endpoint(name, args, parent);
  return {
    hop: { name: "endpoints", securityGroupId: group.id },
    s3PrefixListId: s3.prefixListId,
    ready: [...interfaces, s3],
  };
}

/** The endpoints that an existing VPC has: only the way to them is known. */
export function existingEndpoints(
  securityGroupId: string,
  region: pulumi.Input<string>,
  parent: pulumi.Resource,
): Endpoints {
  // Prefix lists have this name in every partition.
  const name = pulumi.interpolate`com.amazonaws.${region}.s3`;
  return {
    hop: { name: "endpoints", securityGroupId },
    s3PrefixListId: aws.ec2.getPrefixListOutput({ name }, { parent }).id,
    ready: [],
  };
}

/** The gateway endpoint on the route tables of the subnets, of which awsx makes one a subnet. */
function createS3Endpoint(name: string, args: EndpointsArgs, parent: pulumi.Resource): aws.ec2.VpcEndpoint {
  const routeTables = Array.from({ length: args.subnetCount }, (_, index) => {
    const subnetId = args.subnetIds.apply((ids) => ids[index] as string);
    return aws.ec2.getRouteTableOutput({ subnetId }, { parent }).routeTableId;
  });
  return new aws.ec2.VpcEndpoint(
    `${name}-s3`,
    {
      vpcId: args.vpcId,
      vpcEndpointType: "Gateway",
      serviceName: serviceName("s3", "Gateway", args.account, parent),
      // Subnets of an existing VPC may share one.
      routeTableIds: pulumi.all(routeTables).apply((ids) => [...new Set(ids)]),
      policy: policyOf("s3", args.account),
    },
    { parent },
  );
}

function policyOf(service: EndpointService, account: pulumi.Output<Account>): pulumi.Output<string> {
  return pulumi.jsonStringify(account.apply((where) => endpointPolicy(service, where)));
}

/**
 * The name that AWS knows the service by in the region. In China some begin with cn.com.amazonaws (ECR), others with com.amazonaws
 * (S3), so both are asked for, of which one exists. The function's own `service` would build the second of them only.
 */
function serviceName(
  service: EndpointService,
  serviceType: "Interface" | "Gateway",
  account: pulumi.Output<Account>,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const values = account.apply(({ region, dnsSuffix }) => {
    const prefixes = [dnsSuffix.split(".").reverse().join("."), "com.amazonaws"];
    return [...new Set(prefixes)].map((prefix) => `${prefix}.${region}.${service}`);
  });
  return aws.ec2.getVpcEndpointServiceOutput({ serviceType, filters: [{ name: "service-name", values }] }, { parent })
    .serviceName;
}
