import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import type * as pulumi from "@pulumi/pulumi";

/** Type of the subnets that the VPC makes. */
const SUBNET = "aws:ec2/subnet:Subnet";

/**
 * Makes a VPC of public and isolated subnets (no NAT gateway, no route out), in which nothing gets a public address unasked and
 * whose default security group lets nothing through.
 */
export function createVpc(name: string, cidr: string, zones: number, parent: pulumi.Resource): awsx.ec2.Vpc {
  const vpc = new awsx.ec2.Vpc(
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
    // awsx has no argument for it. A transform reaches the children of a remote component too.
    { parent, transforms: [withoutPublicAddresses] },
  );
  // What is started without a security group gets this one, which AWS makes open among its members and to the world.
  new aws.ec2.DefaultSecurityGroup(
    `${name}-default`,
    // Said, not left out: rules that someone adds by hand show as a difference.
    { vpcId: vpc.vpcId, ingress: [], egress: [] },
    { parent },
  );
  return vpc;
}

/**
 * Keeps subnets from giving a public address to whatever starts in them, as awsx has them do where they are public. A load
 * balancer gets its addresses by itself.
 */
export function withoutPublicAddresses(
  args: Pick<pulumi.ResourceTransformArgs, "type" | "props" | "opts">,
): pulumi.ResourceTransformResult | undefined {
  if (args.type !== SUBNET) return undefined;
  return { props: { ...args.props, mapPublicIpOnLaunch: false }, opts: args.opts };
}
