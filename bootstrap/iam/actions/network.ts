import { type ActionsByType, EC2_TAGS } from "./actions.ts";

/** What hangs on a group or a subnet keeps AWS from deleting it; the provider looks for what does. */
const INTERFACES = "ec2:DescribeNetworkInterfaces";

/** The network: VPC, subnets, routes, endpoints, security groups, flow log. */
export const NETWORK_ACTIONS: ActionsByType = {
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
    read: ["ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"],
    write: ["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", ...EC2_TAGS],
  },
  "aws:ec2/flowLog:FlowLog": {
    read: ["ec2:DescribeFlowLogs"],
    write: ["ec2:CreateFlowLogs", "ec2:DeleteFlowLogs", ...EC2_TAGS],
  },
  "aws:ec2/internetGateway:InternetGateway": {
    read: ["ec2:DescribeInternetGateways"],
    write: [
      "ec2:AttachInternetGateway",
      "ec2:CreateInternetGateway",
      "ec2:DeleteInternetGateway",
      "ec2:DetachInternetGateway",
      ...EC2_TAGS,
    ],
  },
  "aws:ec2/route:Route": {
    read: ["ec2:DescribeRouteTables"],
    write: ["ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"],
  },
  "aws:ec2/routeTable:RouteTable": {
    read: ["ec2:DescribeRouteTables"],
    write: ["ec2:CreateRouteTable", "ec2:DeleteRouteTable", ...EC2_TAGS],
  },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": {
    read: ["ec2:DescribeRouteTables"],
    write: ["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    read: ["ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules", INTERFACES],
    // AWS gives a new group a rule that lets everything out, which the provider takes away.
    write: [
      "ec2:CreateSecurityGroup",
      "ec2:DeleteSecurityGroup",
      "ec2:RevokeSecurityGroupEgress",
      "ec2:RevokeSecurityGroupIngress",
      ...EC2_TAGS,
    ],
  },
  "aws:ec2/subnet:Subnet": {
    read: ["ec2:DescribeSubnets", INTERFACES],
    write: ["ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:ModifySubnetAttribute", ...EC2_TAGS],
  },
  "aws:ec2/vpc:Vpc": {
    // With a VPC come a network ACL, a route table and a security group; the provider reads which.
    read: [
      "ec2:DescribeNetworkAcls",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeVpcAttribute",
      "ec2:DescribeVpcs",
    ],
    write: ["ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute", ...EC2_TAGS],
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": {
    read: ["ec2:DescribePrefixLists", "ec2:DescribeVpcEndpoints"],
    // AWS's own names, which the endpoint takes over, stand in a private hosted zone.
    write: [
      "ec2:CreateVpcEndpoint",
      "ec2:DeleteVpcEndpoints",
      "ec2:ModifyVpcEndpoint",
      "route53:AssociateVPCWithHostedZone",
      ...EC2_TAGS,
    ],
  },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
    read: ["ec2:DescribeSecurityGroupRules"],
    write: [
      "ec2:AuthorizeSecurityGroupEgress",
      "ec2:ModifySecurityGroupRules",
      "ec2:RevokeSecurityGroupEgress",
      ...EC2_TAGS,
    ],
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    read: ["ec2:DescribeSecurityGroupRules"],
    write: [
      "ec2:AuthorizeSecurityGroupIngress",
      "ec2:ModifySecurityGroupRules",
      "ec2:RevokeSecurityGroupIngress",
      ...EC2_TAGS,
    ],
  },
};
