import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkConfiguration } from "./config/network.ts";
import type { Account } from "./iam.ts";
import { createEndpoints, type Endpoints, existingEndpoints } from "./network/endpoints.ts";
import { createFlowLogs } from "./network/flow-logs.ts";
import { createVpc } from "./network/vpc.ts";
import { type Hop, openPath, tcp } from "./security-groups.ts";

export interface NetworkArgs {
  /**
   * A VPC to make, or an existing one by ids. A stack that stands cannot move to another VPC: AWS refuses to take a database there.
   * Make a new stack and restore a snapshot. An existing VPC's flow logs, default security group and subnets are its owner's to
   * keep: nothing is declared for them.
   */
  readonly network: NetworkConfiguration;
  /** Days that the flow logs of a new VPC are kept. */
  readonly logRetentionDays: number;
  /** Whether the flow logs stay when the stack goes. Default false. */
  readonly retainLogs?: boolean;
  /** ARN of the managed policy that bounds the role of the flow logs. Default none. */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /** Where the stack lives. */
  readonly account: pulumi.Output<Account>;
}

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
  readonly #endpoints: Endpoints;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:Network", name, {}, opts);
    const { network, account, logRetentionDays, retainLogs = false, permissionsBoundaryArn } = args;
    if (network.kind === "new") {
      const vpc = createVpc(name, network.cidr, network.zones, this);
      this.vpcId = vpc.vpcId;
      this.cidr = pulumi.output(network.cidr);
      this.publicSubnetIds = vpc.publicSubnetIds;
      this.isolatedSubnetIds = vpc.isolatedSubnetIds;
      createFlowLogs(name, { vpcId: vpc.vpcId, logRetentionDays, retainLogs, permissionsBoundaryArn, account }, this);
    } else {
      this.vpcId = pulumi.output(network.vpcId);
      this.cidr = aws.ec2.getVpcOutput({ id: network.vpcId }, { parent: this }).cidrBlock;
      this.publicSubnetIds = pulumi.output([...network.publicSubnetIds]);
      this.isolatedSubnetIds = pulumi.output([...network.isolatedSubnetIds]);
    }
    this.#endpoints = this.#endpointsOf(name, network, account);
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
    const { hop, s3PrefixListId, ready } = this.#endpoints;
    const toS3 = new aws.vpc.SecurityGroupEgressRule(
      `${tasks.name}-to-s3-egress`,
      {
        description: `${tasks.name} to S3, for image layers`,
        securityGroupId: tasks.securityGroupId,
        prefixListId: s3PrefixListId,
        ...tcp(HTTPS),
      },
      opts,
    );
    return [...openPath(tasks, hop, HTTPS, opts), toS3, ...ready];
  }

  #endpointsOf(name: string, network: NetworkConfiguration, account: pulumi.Output<Account>): Endpoints {
    if (network.kind === "existing" && network.endpointSecurityGroupId !== undefined) {
      return existingEndpoints(network.endpointSecurityGroupId, account.region, this);
    }
    const subnetCount = network.kind === "new" ? network.zones : network.isolatedSubnetIds.length;
    return createEndpoints(name, { vpcId: this.vpcId, subnetIds: this.isolatedSubnetIds, subnetCount, account }, this);
  }
}
