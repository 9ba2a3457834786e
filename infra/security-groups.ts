import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** A network interface's place in the chain: its security group and the word that rules call it by. */
export interface Hop {
  /** Such as "service": part of the rules' names and descriptions, and so unlike that of every other hop of the stack. */
  readonly name: string;
  readonly securityGroupId: pulumi.Input<string>;
}

/** The one form of security group here: described, and without inline rules, since those fight standalone ones. */
export function securityGroup(
  name: string,
  args: { readonly description: string; readonly vpcId: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): aws.ec2.SecurityGroup {
  return new aws.ec2.SecurityGroup(name, { description: args.description, vpcId: args.vpcId }, opts);
}

/**
 * Opens one hop on one TCP port: egress at the source and ingress at the target. Either alone lets nothing through.
 *
 * @returns both rules, for whatever must not start before packets pass
 */
export function openPath(
  from: Hop,
  to: Hop,
  port: pulumi.Input<number>,
  opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
  const path = `${from.name}-to-${to.name}`;
  return [
    new aws.vpc.SecurityGroupEgressRule(
      `${path}-egress`,
      {
        description: `${from.name} to ${to.name}`,
        securityGroupId: from.securityGroupId,
        referencedSecurityGroupId: to.securityGroupId,
        ...tcp(port),
      },
      opts,
    ),
    new aws.vpc.SecurityGroupIngressRule(
      `${path}-ingress`,
      {
        description: `${to.name} from ${from.name}`,
        securityGroupId: to.securityGroupId,
        referencedSecurityGroupId: from.securityGroupId,
        ...tcp(port),
      },
      opts,
    ),
  ];
}

/** The rule arguments of one TCP port. */
export function tcp(port: pulumi.Input<number>) {
  return { ipProtocol: "tcp", fromPort: port, toPort: port };
}
