import type { DeclaredResource } from "./program/resource.ts";
import type { Program } from "./program.ts";

/** Decides whether packets pass between two network interfaces, by the declared security groups. */
export interface Firewall {
  /**
   * Whether the rules let TCP through: an egress rule of a group of the source, and an ingress rule of a group of the target.
   *
   * @param from security group ids of the source's network interface
   * @param to security group ids of the target's
   */
  allows(from: readonly string[], to: readonly string[], port: number): boolean;
}

/** Reads the standalone rules of an evaluated program. A rule for address ranges counts when it names the whole world; a narrower one never does, since no address is pretended here. */
export function declaredFirewall(program: Program): Firewall {
  const ofType = (type: string) => program.resources.filter((resource) => resource.type === type);
  const egress = ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
  const ingress = ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
  const admits = (rules: readonly DeclaredResource[], own: readonly string[], peers: readonly string[], port: number) =>
    rules.some(({ inputs }) => {
      const peer = inputs.referencedSecurityGroupId;
      const matches = peer === undefined ? inputs.cidrIpv4 === "0.0.0.0/0" : peers.includes(String(peer));
      return own.includes(String(inputs.securityGroupId)) && matches && coversPort(inputs, port);
    });
  return {
    allows: (from, to, port) => admits(egress, from, to, port) && admits(ingress, to, from, port),
  };
}

function coversPort(inputs: DeclaredResource["inputs"], port: number): boolean {
  if (inputs.ipProtocol === "-1") return true;
  return inputs.ipProtocol === "tcp" && Number(inputs.fromPort) <= port && port <= Number(inputs.toPort);
}
