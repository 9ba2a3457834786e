import { arn, hex } from "../place.ts";
import { type ComputeOutputs, digits, text } from "./computed.ts";

/** What AWS computes for a VPC and what lies in it. */
export const NETWORK_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:ec2/internetGateway:InternetGateway": (made, place) => {
    const id = `igw-${digits(made)}`;
    return { id, outputs: { arn: arn(place, "ec2", `internet-gateway/${id}`), ownerId: place.accountId } };
  },
  "aws:ec2/route:Route": ({ inputs }) => ({
    id: `r-${text(inputs.routeTableId)}${text(inputs.destinationCidrBlock)}`,
    outputs: { origin: "CreateRoute", state: "active" },
  }),
  "aws:ec2/routeTable:RouteTable": (made, place) => {
    const id = `rtb-${digits(made)}`;
    return { id, outputs: { arn: arn(place, "ec2", `route-table/${id}`), ownerId: place.accountId } };
  },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": (made) => ({ id: `rtbassoc-${digits(made)}`, outputs: {} }),
  "aws:ec2/subnet:Subnet": (made, place) => {
    const id = `subnet-${digits(made)}`;
    return { id, outputs: { arn: arn(place, "ec2", `subnet/${id}`), ownerId: place.accountId } };
  },
  "aws:ec2/vpc:Vpc": (made, place) => {
    const id = `vpc-${digits(made)}`;
    return {
      id,
      outputs: {
        arn: arn(place, "ec2", `vpc/${id}`),
        ownerId: place.accountId,
        mainRouteTableId: `rtb-${digits(made)}`,
        defaultSecurityGroupId: defaultGroupOf(id),
      },
    };
  },
};

/** The route table of a subnet. awsx names the two alike, and so their ids end alike here. */
export function routeTableOf(subnetId: string): string {
  return subnetId.replace(/^subnet-/, "rtb-");
}

/** The security group that AWS makes with a VPC. */
export function defaultGroupOf(vpcId: string): string {
  return `sg-${hex(`${vpcId} default`)}`;
}
