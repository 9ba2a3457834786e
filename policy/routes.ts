import type { Resource, Stack } from "./stack.ts";

const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";

/** Whether the stack makes its network: otherwise what belongs to it is someone else's to judge. */
export function makesVpc(stack: Stack): boolean {
  return stack.ofType("awsx:ec2:Vpc", "aws:ec2/vpc:Vpc").length > 0;
}

/** Whether a declared subnet has a route to an internet gateway, its own or that of a route table that it shares. */
export function reachesInternet(stack: Stack, subnetId: string): boolean {
  const tables = stack
    .ofType(ASSOCIATION)
    .filter(({ fields }) => fields.text("subnetId") === subnetId)
    .map(({ fields }) => fields.text("routeTableId"));
  const routes = stack
    .ofType("aws:ec2/route:Route")
    .filter(({ fields }) => tables.includes(fields.text("routeTableId")));
  const gateways = stack.ofType("aws:ec2/internetGateway:InternetGateway").map((gateway) => stack.idOf(gateway));
  const inline = stack
    .ofType("aws:ec2/routeTable:RouteTable")
    .filter((table) => tables.includes(stack.idOf(table)))
    .flatMap(({ fields }) => fields.list("routes").map((route) => route.text("gatewayId")));
  const used = [...routes.map(({ fields }: Resource) => fields.text("gatewayId")), ...inline];
  return used.some((gateway) => gateway !== undefined && (gateways.includes(gateway) || gateway.startsWith("igw-")));
}
