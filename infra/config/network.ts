import { CIDR } from "./forms.ts";
import { between, type ConfigReader, matching } from "./reader.ts";

/** A VPC to make, or an existing one by ids. */
export type NetworkConfiguration =
  | { readonly kind: "new"; readonly cidr: string; readonly zones: number }
  | {
      readonly kind: "existing";
      readonly vpcId: string;
      readonly publicSubnetIds: readonly string[];
      readonly isolatedSubnetIds: readonly string[];
      /** Security group of the interface endpoints that the VPC has; undefined makes the endpoints. */
      readonly endpointSecurityGroupId: string | undefined;
    };

const SUBNET = matching(/^subnet-[0-9a-f]+$/, "a subnet id such as subnet-0123456789abcdef0");

/** Reads which VPC the stack lives in. */
export function readNetwork(read: ConfigReader): NetworkConfiguration {
  const cidr = read.text(
    "vpcCidr",
    matching(/^\d+\.\d+\.\d+\.\d+\/(?:1[6-9]|2[0-2])$/, "an IPv4 range from /16 to /22"),
  );
  if (cidr !== "" && !CIDR.accepts(cidr)) read.refuse("vpcCidr", cidr, CIDR.says);
  const zones = read.integer("availabilityZones", between(2, 3));
  const vpcId = read.text("vpcId", matching(/^vpc-[0-9a-f]+$/, "a VPC id such as vpc-0123456789abcdef0"), {
    optional: true,
  });
  const publicSubnetIds = read.list("publicSubnetIds", SUBNET);
  const isolatedSubnetIds = read.list("isolatedSubnetIds", SUBNET);
  const group = matching(/^sg-[0-9a-f]+$/, "a security group id such as sg-0123456789abcdef0");
  const endpointSecurityGroupId = read.text("endpointSecurityGroupId", group, { optional: true }) || undefined;
  const subnets = { publicSubnetIds, isolatedSubnetIds };
  if (vpcId === "") {
    for (const [key, ids] of Object.entries(subnets)) {
      if (ids.length > 0) read.refuse(key, ids, "empty without vpcId, because a new VPC makes its own subnets");
    }
    if (endpointSecurityGroupId) read.refuse("endpointSecurityGroupId", endpointSecurityGroupId, "empty without vpcId");
    return { kind: "new", cidr, zones };
  }
  for (const [key, ids] of Object.entries(subnets)) {
    if (ids.length < 2 || ids.length > 3)
      read.refuse(key, ids, "two or three subnets with vpcId, each in another zone");
  }
  const shared = publicSubnetIds.filter((id) => isolatedSubnetIds.includes(id));
  if (shared.length > 0) read.refuse("isolatedSubnetIds", shared, "subnets that are not public as well");
  return { kind: "existing", vpcId, ...subnets, endpointSecurityGroupId };
}
