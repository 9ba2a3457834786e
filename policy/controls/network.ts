import { type Control, every, mustNotBeTrue, unless, wrong } from "../control.ts";
import { parseDocument, type Statement } from "../iam/document.ts";
import { hasWildcard, isHeldBy } from "../iam/match.ts";
import { makesVpc } from "../routes.ts";
import type { Resource, Stack } from "../stack.ts";

const VPC = "aws:ec2/vpc:Vpc";
const ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint";

/** What holds whoever uses an endpoint, or what is reached by it, to known accounts. */
const HOLDING =
  /^(?:aws:(?:PrincipalAccount|PrincipalArn|PrincipalOrgID|ResourceAccount|ResourceOrgID|SourceAccount|SourceArn))$/i;

/** The network that the stack makes. The rules of its security groups are in security-groups.ts. */
export const NETWORK_CONTROLS: readonly Control[] = [
  {
    id: "network-default-group-closed",
    title: "The default security group of the VPC lets nothing through",
    sources: ["EC2.2", "CIS 5.4", "CKV2_AWS_12", "ec2_securitygroup_default_restrict_traffic"],
    severity: "high",
    selects: every(VPC),
    unneeded: ofAnother,
    check: defaultGroupClosed,
  },
  {
    id: "network-flow-logs",
    title: "The VPC records all traffic, what was let through and what was not",
    sources: ["EC2.6", "CIS 3.7", "CKV2_AWS_11", "AVD-AWS-0178", "AwsSolutions-VPC7", "vpc_flow_logs_enabled"],
    severity: "medium",
    selects: every(VPC),
    unneeded: ofAnother,
    check: (vpc, stack) => {
      const logs = stack
        .ofType("aws:ec2/flowLog:FlowLog")
        .filter(({ fields }) => fields.text("vpcId") === stack.idOf(vpc));
      if (logs.length === 0) return ["no flow log is declared for it; allowed: one of traffic ALL"];
      const types = logs.map(({ fields }) => fields.text("trafficType"));
      return unless(types.includes("ALL"), "trafficType of its flow logs", types, "ALL");
    },
  },
  {
    id: "network-no-automatic-addresses",
    title: "Subnets give no public address to what starts in them",
    sources: ["EC2.15", "CKV_AWS_130", "AVD-AWS-0164", "vpc_subnet_no_public_ip_by_default"],
    severity: "medium",
    selects: every("aws:ec2/subnet:Subnet"),
    unneeded: ofAnother,
    check: mustNotBeTrue("mapPublicIpOnLaunch"),
  },
  {
    id: "network-endpoints-scoped",
    title: "Through each endpoint passes only what its policy names",
    sources: ["vpc_endpoint_connections_trust_boundaries", '"Control access to VPC endpoints using endpoint policies"'],
    severity: "medium",
    selects: every(ENDPOINT),
    unneeded: ofAnother,
    check: endpointScoped,
  },
  {
    id: "network-registry-endpoints",
    title: "Images come from the registry without leaving AWS's network",
    sources: ["EC2.55", "EC2.56"],
    severity: "medium",
    selects: every(VPC),
    unneeded: ofAnother,
    check: (vpc, stack) => {
      const services = stack
        .ofType(ENDPOINT)
        .filter(({ fields }) => fields.text("vpcId") === stack.idOf(vpc))
        .map(({ fields }) => fields.text("serviceName") ?? "");
      const missing = ["ecr.api", "ecr.dkr"].filter(
        (service) => !services.some((name) => name.endsWith(`.${service}`)),
      );
      return unless(missing.length === 0, "interface endpoints that it lacks", missing, "none");
    },
  },
];

function ofAnother(stack: Stack): string | undefined {
  return makesVpc(stack) ? undefined : "the VPC is not this stack's";
}

function defaultGroupClosed(vpc: Resource, stack: Stack): readonly string[] {
  const groups = stack
    .ofType("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    .filter(({ fields }) => fields.text("vpcId") === stack.idOf(vpc));
  if (groups.length === 0) return ["its default security group is not declared; allowed: one without rules"];
  return groups.flatMap(({ fields }) =>
    ["ingress", "egress"].flatMap((direction) =>
      unless(
        fields.list(direction).length === 0,
        `${direction} rules of its default security group`,
        fields.list(direction).length,
        "none",
      ),
    ),
  );
}

function endpointScoped({ name, fields }: Resource): readonly string[] {
  const policy = fields.text("policy");
  if (policy === undefined) return ["policy is not set, so all passes; allowed: a policy that names what is needed"];
  return parseDocument(policy, `the policy of ${name}`)
    .filter(({ effect }) => effect === "Allow")
    .flatMap(openings);
}

function openings(statement: Statement): readonly string[] {
  const { sid, actions, exceptActions, resources, exceptResources, principals, exceptPrincipals } = statement;
  const wide = actions.filter((action) => /^(?:\*|[^:]+:\*)$/.test(action));
  const anyone = exceptPrincipals || principals.some(({ value }) => value === "*");
  // The bucket of a resource must be named; what is in it need not.
  const anything = exceptResources || resources.some((resource) => hasWildcard(resource.split("/")[0] ?? ""));
  const open = anyone && anything && !isHeldBy(statement, HOLDING);
  return [
    ...unless(!exceptActions && wide.length === 0, `actions of statement ${sid}`, wide, "actions by name"),
    ...(open
      ? [wrong(`statement ${sid}`, "for anyone, to anything", "principals or resources of known accounts")]
      : []),
  ];
}
