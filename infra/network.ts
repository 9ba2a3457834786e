import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkConfiguration } from "./config/network.ts";
import type { Account } from "./iam.ts";
import { type Hop, openPath, securityGroup, tcp } from "./security-groups.ts";

export interface NetworkArgs {
  /**
   * A VPC to make, or an existing one by ids. A stack that stands cannot move to another VPC: AWS refuses to take a database there.
   * Make a new stack and restore a snapshot.
   */
  readonly network: NetworkConfiguration;
  /** Where the stack lives. */
  readonly account: pulumi.Output<Account>;
}

/** What a task without a way out must reach to start: its image's manifest, its image's login, its log group. */
const INTERFACE_ENDPOINTS = ["ecr.api", "ecr.dkr", "logs"] as const;

/** Every interface endpoint and S3 speak HTTPS. */
const HTTPS = 443;

/**
 * The network: public subnets for the load balancer, isolated ones (no NAT gateway, no route out) for tasks, proxy and database,
 * and the endpoints through which a task there gets its image and writes its logs.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** IPv4 range of the VPC: the clients of an internal load balancer. */
  readonly cidr: pulumi.Output<string>;
  readonly publicSubnetIds: pulumi.Output<string[]>;
  readonly isolatedSubnetIds: pulumi.Output<string[]>;
  readonly #endpoints: Hop;
  readonly #endpointsReady: pulumi.Resource[] = [];
  readonly #s3PrefixListId: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:Network", name, {}, opts);
    const { network, account } = args;
    const region = account.region;
    if (network.kind === "new") {
      const vpc = this.#createVpc(name, network.cidr, network.zones);
      this.vpcId = vpc.vpcId;
      this.cidr = pulumi.output(network.cidr);
      this.publicSubnetIds = vpc.publicSubnetIds;
      this.isolatedSubnetIds = vpc.isolatedSubnetIds;
    } else {
      this.vpcId = pulumi.output(network.vpcId);
      this.cidr = aws.ec2.getVpcOutput({ id: network.vpcId }, { parent: this }).cidrBlock;
      this.publicSubnetIds = pulumi.output([...network.publicSubnetIds]);
      this.isolatedSubnetIds = pulumi.output([...network.isolatedSubnetIds]);
    }
    if (network.kind === "existing" && network.endpointSecurityGroupId !== undefined) {
      this.#endpoints = { name: "endpoints", securityGroupId: network.endpointSecurityGroupId };
      const s3 = pulumi.interpolate`com.amazonaws.${region}.s3`;
      this.#s3PrefixListId = aws.ec2.getPrefixListOutput({ name: s3 }, { parent: this }).id;
    } else {
      const zones = network.kind === "new" ? network.zones : network.isolatedSubnetIds.length;
      this.#endpoints = this.#createInterfaceEndpoints(name, region);
      this.#s3PrefixListId = this.#createS3Endpoint(name, region, zones);
    }
    this.registerOutputs({
      vpcId: this.vpcId,
      publicSubnetIds: this.publicSubnetIds,
      isolatedSubnetIds: this.isolatedSubnetIds,
    });
  }

  /**
   * Lets tasks pull their image and write their logs: to the interface endpoints, and to S3, where ECR keeps the layers. Without
   * egress to S3's prefix list the pull hangs at the first layer. Call it once.
   *
   * @returns what must exist before a task can start
   */
  grantTaskStart(tasks: Hop): readonly pulumi.Resource[] {
    const opts = { parent: this };
    const toS3 = new aws.vpc.SecurityGroupEgressRule(
      `${tasks.name}-to-s3-egress`,
      {
        description: `${tasks.name} to S3, for image layers`,
        securityGroupId: tasks.securityGroupId,
        prefixListId: this.#s3PrefixListId,
        ...tcp(HTTPS),
      },
      opts,
    );
    return [...openPath(tasks, this.#endpoints, HTTPS, opts), toS3, ...this.#endpointsReady];
  }

  #createVpc(name: string, cidr: string, zones: number): awsx.ec2.Vpc {
    return new awsx.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: cidr,
        numberOfAvailabilityZones: zones,
        // Interface endpoints answer under AWS's own names only with both.
        enableDnsHostnames: true,
        enableDnsSupport: true,
        natGateways: { strategy: "None" },
        subnetStrategy: "Auto",
        subnetSpecs: [
          { type: "Public", name: "public" },
          { type: "Isolated", name: "isolated" },
        ],
      },
      { parent: this },
    );
  }

  #createInterfaceEndpoints(name: string, region: pulumi.Input<string>): Hop {
    const group = securityGroup(
      `${name}-endpoints`,
      { description: "Interface endpoints of the isolated subnets", vpcId: this.vpcId },
      { parent: this },
    );
    for (const service of INTERFACE_ENDPOINTS) {
      const endpoint = new aws.ec2.VpcEndpoint(
        `${name}-${service.replace(".", "-")}`,
        {
          vpcId: this.vpcId,
          vpcEndpointType: "Interface",
          serviceName: pulumi.interpolate`com.amazonaws.${region}.${service}`,
          subnetIds: this.isolatedSubnetIds,
          securityGroupIds: [group.id],
          privateDnsEnabled: true,
        },
        { parent: this },
      );
      this.#endpointsReady.push(endpoint);
    }
    return { name: "endpoints", securityGroupId: group.id };
  }

  /** The gateway endpoint on the isolated subnets' route tables, of which awsx makes one a subnet. */
  #createS3Endpoint(name: string, region: pulumi.Input<string>, zones: number): pulumi.Output<string> {
    const routeTables = Array.from({ length: zones }, (_, zone) => {
      const subnetId = this.isolatedSubnetIds.apply((ids) => ids[zone] as string);
      return aws.ec2.getRouteTableOutput({ subnetId }, { parent: this }).routeTableId;
    });
    // Subnets of an existing VPC may share one.
    const routeTableIds = pulumi.all(routeTables).apply((ids) => [...new Set(ids)]);
    const endpoint = new aws.ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId: this.vpcId,
        vpcEndpointType: "Gateway",
        serviceName: pulumi.interpolate`com.amazonaws.${region}.s3`,
        routeTableIds,
      },
      { parent: this },
    );
    this.#endpointsReady.push(endpoint);
    return endpoint.prefixListId;
  }
}
