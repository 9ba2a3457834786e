import type { DeclaredResource } from "../../local/program/resource.ts";
import { UNKNOWN } from "./pack-process.ts";

/** Outputs that the provider computes for every resource of a type, beside those that the program reads. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  "aws:ec2/securityGroup:SecurityGroup": ["ingress", "egress"],
  "aws:ec2/routeTable:RouteTable": ["routes"],
  "aws:iam/role:Role": ["inlinePolicies", "managedPolicyArns"],
};

/** The resources as in the first preview: nothing is known that AWS computes, neither ids nor ARNs, nor what is made from them. */
export function asInPreview(resources: readonly DeclaredResource[]): readonly DeclaredResource[] {
  return resources.map((resource) => {
    const inputs = Object.entries(resource.inputs).map(([key, value]) => [key, blurred(value)]);
    const computed = [...Object.keys(resource.outputs), ...(COMPUTED[resource.type] ?? [])].map((key) => [
      key,
      UNKNOWN,
    ]);
    return {
      ...resource,
      id: resource.custom ? UNKNOWN : resource.id,
      outputs: { ...Object.fromEntries(computed), ...Object.fromEntries(inputs) },
    };
  });
}

/** A text that names an ARN, an id or an address of something that does not exist yet is not known. */
function blurred(value: unknown): unknown {
  if (typeof value === "string")
    return /arn:aws|^(?:sg|vpc|subnet|pl|rtb|igw)-|amazonaws\.com/.test(value) ? UNKNOWN : value;
  if (Array.isArray(value)) return value.map(blurred);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, blurred(inner)]));
}

/**
 * The resources as the provider reports them once they stand and were refreshed: a role with the policies that stand beside it, a
 * security group with the rules beside it, a route table with its routes; and what is not set as null or empty.
 */
export function asDeployed(resources: readonly DeclaredResource[]): readonly DeclaredResource[] {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const reported = (resource: DeclaredResource): Readonly<Record<string, unknown>> => {
    switch (resource.type) {
      case "aws:iam/role:Role":
        return {
          inlinePolicies: ofType("aws:iam/rolePolicy:RolePolicy")
            .filter(({ inputs }) => inputs.role === resource.outputs.name)
            .map(({ outputs }) => ({ name: outputs.name, policy: outputs.policy })),
          managedPolicyArns: ofType("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
            .filter(({ inputs }) => inputs.role === resource.outputs.name)
            .map(({ inputs }) => inputs.policyArn),
          permissionsBoundary: "",
        };
      case "aws:ec2/securityGroup:SecurityGroup":
        return {
          ingress: rulesOf(resource, ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")),
          egress: rulesOf(resource, ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")),
        };
      case "aws:ec2/routeTable:RouteTable":
        return {
          routes: ofType("aws:ec2/route:Route")
            .filter(({ inputs }) => inputs.routeTableId === resource.id)
            .map(({ inputs }) => ({ cidrBlock: inputs.destinationCidrBlock, gatewayId: inputs.gatewayId })),
        };
      case "aws:rds/instance:Instance":
        return { password: null, passwordWo: null, replicateSourceDb: "" };
      default:
        return {};
    }
  };
  return resources.map((resource) => ({ ...resource, outputs: { ...resource.outputs, ...reported(resource) } }));
}

function rulesOf({ id }: DeclaredResource, rules: readonly DeclaredResource[]): readonly object[] {
  return rules
    .filter(({ inputs }) => inputs.securityGroupId === id)
    .map(({ inputs }) => ({
      protocol: inputs.ipProtocol,
      fromPort: inputs.fromPort,
      toPort: inputs.toPort,
      cidrBlocks: inputs.cidrIpv4 === undefined ? [] : [inputs.cidrIpv4],
      prefixListIds: inputs.prefixListId === undefined ? [] : [inputs.prefixListId],
      securityGroups: inputs.referencedSecurityGroupId === undefined ? [] : [inputs.referencedSecurityGroupId],
      self: false,
    }));
}
