import { drop, type Mutation, set } from "./mutation.ts";

const ingress = (name: string, changes: Readonly<Record<string, unknown>>) =>
  set("SecurityGroupIngressRule", name, changes);
const fromRange = (range: string) => ({ referencedSecurityGroupId: undefined, cidrIpv4: range });

/** Slips in the network and its security groups. */
export const NETWORK_MUTATIONS: readonly Mutation[] = [
  {
    control: "network-default-group-closed",
    says: "the default group open among its members",
    mutate: set("DefaultSecurityGroup", "network-default", {
      ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, self: true }],
    }),
  },
  {
    control: "network-default-group-closed",
    says: "the default group as AWS makes it",
    mutate: drop("DefaultSecurityGroup", "network-default"),
  },
  { control: "network-flow-logs", says: "no flow log", mutate: drop("FlowLog", "network") },
  {
    control: "network-no-automatic-addresses",
    says: "public addresses in an isolated subnet",
    mutate: set("aws:ec2/subnet:Subnet", "network-vpc-isolated-1", { mapPublicIpOnLaunch: true }),
  },
  {
    control: "network-endpoints-scoped",
    says: "an endpoint for everything",
    mutate: set("VpcEndpoint", "network-s3", { policy: undefined }),
  },
  {
    control: "network-registry-endpoints",
    says: "no way to the registry",
    mutate: drop("VpcEndpoint", "network-ecr-api"),
  },
  {
    control: "proxy-ingress-from-groups",
    says: "the proxy open to a range",
    mutate: ingress("service-to-proxy-ingress", fromRange("10.0.0.0/16")),
  },
  {
    control: "database-ingress-from-groups",
    says: "the database open to a range",
    mutate: ingress("proxy-to-database-ingress", fromRange("10.0.0.0/16")),
  },
  {
    control: "network-no-open-egress",
    says: "the service to the world",
    mutate: set("SecurityGroupEgressRule", "service-to-s3-egress", {
      prefixListId: undefined,
      cidrIpv4: "0.0.0.0/0",
    }),
  },
  {
    control: "network-no-open-ingress",
    says: "the world to the service",
    mutate: ingress("load-balancer-to-service-ingress", fromRange("0.0.0.0/0")),
  },
  {
    control: "network-no-open-ingress",
    says: "half of the world to the service",
    mutate: ingress("load-balancer-to-service-ingress", fromRange("128.0.0.0/1")),
  },
  {
    control: "network-rules-one-port",
    says: "all high ports",
    mutate: ingress("load-balancer-to-service-ingress", { toPort: 65_535 }),
  },
  {
    control: "network-rules-described",
    says: "a rule without a word",
    mutate: ingress("load-balancer-to-service-ingress", { description: undefined }),
  },
  {
    control: "network-rules-standalone",
    says: "a rule in a group itself",
    mutate: set("SecurityGroup", "proxy", { ingress: [{ protocol: "tcp", fromPort: 5432, toPort: 5432, self: true }] }),
  },
];
