import type { Properties } from "../outputs/computed.ts";
import type { Place } from "../place.ts";
import { BELOW_COMPONENT, type Child, type Composition, Reference } from "./composition.ts";

/** The only form of subnet that is composed here. */
interface SubnetSpec {
  readonly type: string;
  readonly name: string;
  readonly tags: Properties;
}

/** One subnet in one zone. */
interface Subnet extends SubnetSpec {
  /** Logical name, which its route table and association have too. */
  readonly logicalName: string;
  readonly cidr: string;
  readonly zone: string;
}

/** Properties that `awsx.ec2.Vpc` hands to the VPC itself. */
const OF_THE_VPC = ["enableDnsHostnames", "enableDnsSupport", "instanceTenancy"] as const;

const SUBNETS_OF_A_TYPE = { Public: "publicSubnetIds", Private: "privateSubnetIds", Isolated: "isolatedSubnetIds" };

/**
 * What `awsx.ec2.Vpc` (3.9) makes with subnet strategy Auto and no NAT gateway: the VPC, an internet gateway whether it is needed
 * or not, and in each zone a subnet of each kind with a route table of its own; only public ones have a way out.
 *
 * @throws Error when the inputs ask for what is not composed here
 */
export function composeVpc(name: string, inputs: Properties, place: Place): Composition {
  const tags = { Name: name, ...(inputs.tags as Properties | undefined) };
  const subnets = layOut(name, inputs, place);
  const vpc: Child = {
    key: "vpc",
    type: "aws:ec2/vpc:Vpc",
    name,
    parent: BELOW_COMPONENT,
    dependsOn: [],
    inputs: {
      cidrBlock: inputs.cidrBlock,
      ...Object.fromEntries(OF_THE_VPC.filter((key) => inputs[key] !== undefined).map((key) => [key, inputs[key]])),
      tags,
    },
  };
  const gateway: Child = {
    key: "gateway",
    type: "aws:ec2/internetGateway:InternetGateway",
    name,
    parent: "vpc",
    dependsOn: ["vpc"],
    inputs: { vpcId: new Reference("vpc", "id"), tags },
  };
  const ids = (type: string) =>
    subnets
      .filter((subnet) => subnet.type === type)
      .map((subnet) => new Reference(`${subnet.logicalName}/subnet`, "id"));
  return {
    children: [vpc, gateway, ...subnets.flatMap((subnet) => subnetChildren(subnet, tags))],
    outputs: {
      vpcId: new Reference("vpc", "id"),
      vpc: new Reference("vpc"),
      internetGateway: new Reference("gateway"),
      ...Object.fromEntries(Object.entries(SUBNETS_OF_A_TYPE).map(([type, output]) => [output, ids(type)])),
    },
  };
}

function subnetChildren(subnet: Subnet, tags: Properties): readonly Child[] {
  const { logicalName: name, type, cidr, zone } = subnet;
  const [self, table] = [`${name}/subnet`, `${name}/table`];
  const own = { ...tags, ...subnet.tags, Name: name, SubnetType: type };
  const isPublic = type === "Public";
  const children: Child[] = [
    {
      key: self,
      type: "aws:ec2/subnet:Subnet",
      name,
      parent: "vpc",
      dependsOn: ["vpc"],
      inputs: {
        vpcId: new Reference("vpc", "id"),
        availabilityZone: zone,
        mapPublicIpOnLaunch: isPublic,
        cidrBlock: cidr,
        tags: own,
      },
    },
    {
      key: table,
      type: "aws:ec2/routeTable:RouteTable",
      name,
      parent: self,
      dependsOn: [self],
      inputs: { vpcId: new Reference("vpc", "id"), tags: { ...tags, Name: name, SubnetType: type } },
    },
    {
      key: `${name}/association`,
      type: "aws:ec2/routeTableAssociation:RouteTableAssociation",
      name,
      parent: table,
      dependsOn: [table],
      inputs: { routeTableId: new Reference(table, "id"), subnetId: new Reference(self, "id") },
    },
  ];
  if (!isPublic) return children;
  const route: Child = {
    key: `${name}/route`,
    type: "aws:ec2/route:Route",
    name,
    parent: table,
    dependsOn: [table],
    inputs: {
      routeTableId: new Reference(table, "id"),
      gatewayId: new Reference("gateway", "id"),
      destinationCidrBlock: "0.0.0.0/0",
    },
  };
  return [...children, route];
}

/** The subnets of every zone: the range is halved until each zone has a part, and that until each kind has one. */
function layOut(name: string, inputs: Properties, { region }: Place): readonly Subnet[] {
  const specs = subnetSpecs(name, inputs);
  const zones = Number(inputs.numberOfAvailabilityZones ?? 3);
  const [base, mask] = parseCidr(String(inputs.cidrBlock));
  const zoneMask = mask + bitsFor(zones);
  const subnetMask = zoneMask + bitsFor(specs.length);
  return Array.from({ length: zones }, (_, zone) =>
    specs.map((spec, index) => ({
      ...spec,
      logicalName: `${name}-${spec.name}-${zone + 1}`,
      cidr: formatCidr(base + zone * 2 ** (32 - zoneMask) + index * 2 ** (32 - subnetMask), subnetMask),
      zone: `${region}${"abcdef"[zone]}`,
    })),
  ).flat();
}

function subnetSpecs(name: string, inputs: Properties): readonly SubnetSpec[] {
  const strategy = (inputs.natGateways as Properties | undefined)?.strategy;
  const specs = inputs.subnetSpecs as readonly Properties[] | undefined;
  const sized = specs?.some((spec) => ["cidrMask", "size", "cidrBlocks"].some((key) => spec[key] !== undefined));
  if (strategy !== "None" || inputs.subnetStrategy !== "Auto" || specs === undefined || sized) {
    throw new Error(
      `awsx.ec2.Vpc ${name}: composed here with natGateways.strategy None, subnetStrategy Auto and subnetSpecs of a type and a ` +
        "name only: add the rest to local/awsx/vpc.ts",
    );
  }
  return specs.map((spec) => {
    const type = String(spec.type);
    return { type, name: String(spec.name ?? type.toLowerCase()), tags: (spec.tags ?? {}) as Properties };
  });
}

function bitsFor(count: number): number {
  return Math.ceil(Math.log2(count));
}

function parseCidr(cidr: string): readonly [base: number, mask: number] {
  const [address = "", mask] = cidr.split("/");
  return [address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0), Number(mask)];
}

function formatCidr(base: number, mask: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
  return `${bytes.join(".")}/${mask}`;
}
