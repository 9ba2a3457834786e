import { type Control, every, unless, wrong } from "../control.ts";
import type { Fields } from "../fields.ts";
import { label, type Resource, type Stack } from "../stack.ts";

const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const PROXY = "aws:rds/proxy:Proxy";
const BALANCER = "aws:lb/loadBalancer:LoadBalancer";
const POSTGRES_PORT = 5432;

/** Shorter prefixes are "the world": no single owner holds so much of it. */
const WORLD_PREFIX = 8;

/** Rules of security groups: who may talk to whom, on which port. */
export const SECURITY_GROUP_CONTROLS: readonly Control[] = [
  {
    id: "proxy-ingress-from-groups",
    title: "The proxy is reached from named security groups, on PostgreSQL's port only",
    sources: ["EC2.18", "EC2.19", '"Setting up network prerequisites for RDS Proxy"'],
    severity: "high",
    selects: (stack) => into(stack, PROXY, "vpcSecurityGroupIds"),
    check: postgresFromGroup,
  },
  {
    id: "database-ingress-from-groups",
    title: "The database is reached from named security groups, on PostgreSQL's port only",
    sources: ["EC2.18", "EC2.19"],
    severity: "high",
    selects: (stack) => into(stack, "aws:rds/instance:Instance", "vpcSecurityGroupIds"),
    check: postgresFromGroup,
  },
  {
    id: "network-no-open-egress",
    title: "No rule lets anything out to the world",
    sources: ["CKV_AWS_382", "AVD-AWS-0104"],
    severity: "high",
    selects: every(EGRESS),
    check: ({ fields }) =>
      world(fields).map((range) => wrong("where the rule lets packets go", range, "a security group, a prefix list")),
  },
  {
    id: "network-no-open-ingress",
    title: "The world reaches the load balancer's port 443, its port 80 that only redirects, and nothing else",
    sources: [
      "EC2.18",
      "CKV_AWS_260",
      "AVD-AWS-0107",
      "AwsSolutions-EC23",
      "ec2_securitygroup_allow_ingress_from_internet_to_any_port",
    ],
    severity: "high",
    selects: every(INGRESS),
    check: openIngress,
  },
  {
    id: "network-rules-one-port",
    title: "Each rule opens one TCP port",
    sources: ["EC2.18", "EC2.19"],
    severity: "medium",
    selects: every(INGRESS, EGRESS),
    check: ({ fields }) => {
      const [from, to] = [fields.number("fromPort"), fields.number("toPort")];
      return [
        ...unless(fields.text("ipProtocol") === "tcp", "ipProtocol", fields.text("ipProtocol"), "tcp"),
        ...unless(from !== undefined && from === to, "fromPort to toPort", [from, to], "one port"),
      ];
    },
  },
  {
    id: "network-rules-described",
    title: "Each security group and each of its rules says what it is for",
    sources: ["CKV_AWS_23", "AVD-AWS-0124", "AVD-AWS-0099", "AwsSolutions-EC27"],
    severity: "low",
    selects: every(GROUP, INGRESS, EGRESS),
    check: ({ fields }) => {
      const description = fields.text("description");
      const said = description !== undefined && description !== "Managed by Pulumi";
      return unless(said, "description", description, "what it is for");
    },
  },
  {
    id: "network-rules-standalone",
    title: "No security group has rules but those that stand beside it, which would fight any of its own",
    sources: ['"aws.vpc.SecurityGroupIngressRule"'],
    severity: "low",
    selects: every(GROUP),
    check: (group, stack) => [
      ...ownRules(group, "ingress", stack.ofType(INGRESS), stack),
      ...ownRules(group, "egress", stack.ofType(EGRESS), stack),
    ],
  },
];

/**
 * Rules of a group itself. The provider reports those that stand beside it there too, once they exist, with all that are let through
 * on the same ports as one.
 */
function ownRules(
  group: Resource,
  direction: "ingress" | "egress",
  beside: readonly Resource[],
  stack: Stack,
): readonly string[] {
  const own = group.fields.list(direction);
  if (own.length === 0) return [];
  const id = stack.idOf(group);
  const declared = beside
    .filter(({ fields }) => fields.text("securityGroupId") === id)
    .map(({ fields }) => [fields.text("fromPort"), fields.text("toPort"), ...peersOf(fields)].join());
  return own.flatMap((rule) => {
    const ports = [rule.text("fromPort"), rule.text("toPort")];
    const peers = PEER_LISTS.flatMap((list) => rule.texts(list));
    const strange = (rule.isTrue("self") ? ["itself"] : peers).filter(
      (peer) => !declared.includes([...ports, peer].join()),
    );
    return unless(
      strange.length === 0,
      `${direction} of the group itself on port ${ports[0]}`,
      strange,
      "none: rules beside it",
    );
  });
}

const PEER_LISTS = ["cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"];

function peersOf(fields: Fields): readonly string[] {
  return ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"].flatMap(
    (peer) => fields.text(peer) ?? [],
  );
}

/** Ingress rules of the security groups that resources of a type have. */
function into(stack: Stack, type: string, property: string): readonly Resource[] {
  const groups = stack.ofType(type).flatMap(({ fields }) => fields.texts(property));
  return stack.ofType(INGRESS).filter(({ fields }) => groups.includes(fields.text("securityGroupId") ?? ""));
}

function postgresFromGroup({ fields }: Resource): readonly string[] {
  const source = ["cidrIpv4", "cidrIpv6", "prefixListId"].filter((kind) => fields.has(kind));
  const ports = [fields.number("fromPort"), fields.number("toPort")];
  return [
    ...unless(fields.has("referencedSecurityGroupId"), "referencedSecurityGroupId", undefined, "a security group"),
    ...unless(source.length === 0, "who is let in besides", source, "a security group alone"),
    ...unless(
      ports.every((port) => port === POSTGRES_PORT),
      "fromPort to toPort",
      ports,
      String(POSTGRES_PORT),
    ),
  ];
}

/** Ranges of a rule that are so wide that no single owner holds them. */
function world(fields: Fields): readonly string[] {
  return [fields.text("cidrIpv4"), fields.text("cidrIpv6")].flatMap((range) => {
    const prefix = Number(range?.split("/")[1]);
    return range !== undefined && !(prefix >= WORLD_PREFIX) ? [range] : [];
  });
}

function openIngress({ fields }: Resource, stack: Stack): readonly string[] {
  const ranges = world(fields);
  if (ranges.length === 0) return [];
  const group = fields.text("securityGroupId") ?? "";
  const balancers = stack
    .ofType(BALANCER)
    .filter((balancer) => balancer.fields.texts("securityGroups").includes(group));
  const ports = balancers.flatMap((balancer) => worldPorts(stack, balancer));
  const port = fields.number("fromPort");
  const allowed = port !== undefined && port === fields.number("toPort") && ports.includes(port);
  const what = balancers.length === 0 ? "a group that is no load balancer's" : balancers.map(label).join(", ");
  return unless(
    allowed,
    `who reaches port ${port} of ${what}`,
    ranges,
    "the world on port 443 with HTTPS or on port 80 that redirects; a narrower range otherwise",
  );
}

/** Ports of a load balancer that the world may reach: HTTPS on 443, and 80 if all that it does is redirect. */
function worldPorts(stack: Stack, balancer: Resource): readonly number[] {
  const arn = balancer.fields.text("arn");
  return stack
    .ofType("aws:lb/listener:Listener")
    .filter(({ fields }) => fields.text("loadBalancerArn") === arn)
    .flatMap(({ fields }) => {
      const port = fields.number("port");
      const redirects = fields.list("defaultActions").every((action) => action.text("type") === "redirect");
      if (port === 443 && fields.text("protocol") === "HTTPS") return [port];
      return port === 80 && redirects ? [port] : [];
    });
}
