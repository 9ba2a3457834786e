import { type Control, every, mustBeTrue, mustNotBeTrue, oneOf, unless, wrong } from "../control.ts";
import type { Fields } from "../fields.ts";
import { label, type Resource, type Stack } from "../stack.ts";
import { containers, environmentOf } from "../task.ts";

export const PROXY = "aws:rds/proxy:Proxy";
const TARGET_GROUP = "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup";
const TARGET = "aws:rds/proxyTarget:ProxyTarget";
const INSTANCE = "aws:rds/instance:Instance";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";

/** Defaults of `CreateDBProxy` and `ConnectionPoolConfiguration`, where a setting is left out. */
const DEFAULT_IDLE_CLIENT_SECONDS = 1_800;
const DEFAULT_BORROW_SECONDS = 120;
const DEFAULT_MAX_CONNECTIONS_PERCENT = 100;

/** Idle time-out of an application load balancer that does not say ("Edit attributes for your Application Load Balancer"). */
const DEFAULT_BALANCER_IDLE_SECONDS = 60;

/**
 * Share of the database's connections that stay free for administration, migration and whatever is not expected. AWS advises at least
 * as much above the highest use ("RDS Proxy connection considerations").
 */
const HEAD_ROOM_PERCENT = 30;

const DAYS = { production: 365, staging: 1 } as const;

/** What a proxy itself is set to. Who may use it is in connect.ts, what it may read in proxy-role.ts. */
export const PROXY_CONTROLS: readonly Control[] = [
  {
    id: "proxy-requires-tls",
    title: "The proxy refuses connections without TLS",
    sources: ["RDS.43", "Config rds-proxy-tls-encryption"],
    severity: "high",
    selects: every(PROXY),
    check: mustBeTrue("requireTls"),
  },
  {
    id: "proxy-requires-iam",
    title: "Clients authenticate by IAM token on every auth entry of the proxy",
    sources: ['"Configuring IAM authentication for RDS Proxy"'],
    severity: "critical",
    selects: every(PROXY),
    check: ({ fields }) => fields.list("auths").flatMap((auth) => oneOf(auth, "iamAuth", ["REQUIRED"])),
  },
  {
    id: "proxy-one-secret-an-entry",
    title: "Each auth entry of the proxy logs in by exactly one secret, and no secret stands twice",
    sources: ['"Setting up database credentials for RDS Proxy"'],
    severity: "medium",
    selects: every(PROXY),
    check: secretsOfEntries,
  },
  {
    id: "proxy-target-same-network",
    title: "The proxy and the database behind it are in the same VPC and the same subnets",
    sources: ['"Getting started with RDS Proxy"'],
    severity: "medium",
    selects: every(TARGET),
    check: sameNetwork,
  },
  {
    id: "proxy-debug-logging-off",
    title: "The proxy does not log SQL text",
    sources: ['"Creating a proxy for Amazon RDS"'],
    severity: "high",
    selects: every(PROXY),
    check: mustNotBeTrue("debugLogging"),
  },
  {
    id: "proxy-log-retained",
    title: "The proxy's log group is declared, and keeps events for 365 days or more",
    sources: ["CloudWatch.16", "CKV_AWS_338"],
    severity: "medium",
    staging: "any retention",
    selects: every(PROXY),
    check: logGroupKept,
  },
  {
    id: "proxy-idle-above-lifetime",
    title: "The proxy's idle client time-out is longer than the life of the application's connections",
    sources: ['"RDS Proxy connection considerations"'],
    severity: "medium",
    selects: every(PROXY),
    check: idleAboveLifetime,
  },
  {
    id: "proxy-borrow-below-load-balancer",
    title: "A client gives up waiting for a database connection before the load balancer gives up on it",
    sources: ['"RDS Proxy connection considerations"'],
    severity: "medium",
    selects: every(TARGET_GROUP),
    check: borrowBelowBalancer,
  },
  {
    id: "proxy-connection-head-room",
    title: `The proxy leaves ${HEAD_ROOM_PERCENT} percent of the database's connections free`,
    sources: ['"RDS Proxy connection considerations"'],
    severity: "medium",
    selects: every(TARGET_GROUP),
    check: ({ fields }) => {
      const pool = fields.object("connectionPoolConfig");
      const percent = pool.number("maxConnectionsPercent") ?? DEFAULT_MAX_CONNECTIONS_PERCENT;
      const most = 100 - HEAD_ROOM_PERCENT;
      return unless(percent <= most, "connectionPoolConfig.maxConnectionsPercent", percent, `at most ${most}`);
    },
  },
];

function secretsOfEntries({ fields }: Resource): readonly string[] {
  const auths = fields.list("auths");
  const endToEnd = fields.text("defaultAuthScheme") === "IAM_AUTH";
  const secrets = auths.map((auth) => auth.text("secretArn"));
  const twice = secrets.filter((secret, index) => secret !== undefined && secrets.indexOf(secret) !== index);
  return [
    ...(auths.length === 0 && !endToEnd ? ["auths is empty; allowed: one entry for each user of the database"] : []),
    ...auths.flatMap(entryMistakes),
    ...twice.map((secret) => wrong("a secret of two entries of auths", secret, "each secret once")),
  ];
}

function entryMistakes(auth: Fields): readonly string[] {
  const secret = auth.text("secretArn");
  return [
    ...oneOf(auth, "authScheme", ["SECRETS"]),
    ...unless(secret !== undefined, `${auth.path}.secretArn`, secret, "the ARN of one secret"),
    // With SECRETS the user name is the secret's; a second one could only disagree.
    ...unless(!auth.has("username"), `${auth.path}.username`, auth.value("username"), "not set: the secret holds it"),
  ];
}

function sameNetwork({ fields }: Resource, stack: Stack): readonly string[] {
  const proxy = stack.find(PROXY, "name", fields.text("dbProxyName"));
  const instance = stack.find(INSTANCE, "identifier", fields.text("dbInstanceIdentifier"));
  if (proxy === undefined) return [wrong("dbProxyName", fields.text("dbProxyName"), "a proxy of this stack")];
  // An instance that is another stack's: its network is not known here, and RDS itself refuses another VPC.
  if (instance === undefined) return [];
  const [ofProxy, ofInstance] = [networks(stack, proxy), networks(stack, instance)];
  const same = ofProxy.length > 0 && [...ofProxy, ...ofInstance].every((vpc) => vpc === ofProxy[0]);
  const subnets = stack.find("aws:rds/subnetGroup:SubnetGroup", "name", instance.fields.text("dbSubnetGroupName"));
  const own = subnets?.fields.texts("subnetIds");
  const others = proxy.fields.texts("vpcSubnetIds").filter((id) => own?.includes(id) === false);
  return [
    ...unless(same, "the VPCs of proxy and database", [...new Set([...ofProxy, ...ofInstance])], "one and the same"),
    ...unless(others.length === 0, "subnets of the proxy in which the database is not", others, "none"),
  ];
}

/** VPCs of a resource's declared security groups. */
function networks(stack: Stack, { fields }: Resource): readonly string[] {
  return fields.texts("vpcSecurityGroupIds").map((id) => {
    const group = stack.ofType(GROUP).find((candidate) => stack.idOf(candidate) === id);
    return group?.fields.text("vpcId") ?? `unknown, by security group ${id}`;
  });
}

function logGroupKept({ fields }: Resource, stack: Stack): readonly string[] {
  const name = `/aws/rds/proxy/${fields.text("name")}`;
  const group = stack.find("aws:cloudwatch/logGroup:LogGroup", "name", name);
  if (group === undefined) return [`no log group ${name} is declared: AWS makes it, and keeps events for ever`];
  const days = group.fields.number("retentionInDays") ?? 0;
  const least = DAYS[stack.tier];
  return unless(days >= least, `retentionInDays of ${label(group)}`, days, `${least} or more`);
}

function idleAboveLifetime({ fields }: Resource, stack: Stack): readonly string[] {
  const idle = fields.number("idleClientTimeout") ?? DEFAULT_IDLE_CLIENT_SECONDS;
  const endpoint = fields.text("endpoint");
  const clients = containers(stack).filter((container) => environmentOf(container).get("DB_HOST") === endpoint);
  return clients.flatMap((container) => {
    const lifetime = Number(environmentOf(container).get("DB_CONNECTION_LIFETIME_SECONDS"));
    const allowed = `less than the proxy's idleClientTimeout, ${idle}`;
    const of = `DB_CONNECTION_LIFETIME_SECONDS of container ${container.text("name")}`;
    return unless(lifetime < idle, of, Number.isNaN(lifetime) ? undefined : lifetime, allowed);
  });
}

function borrowBelowBalancer({ fields }: Resource, stack: Stack): readonly string[] {
  const borrow = fields.object("connectionPoolConfig").number("connectionBorrowTimeout") ?? DEFAULT_BORROW_SECONDS;
  return stack.ofType("aws:lb/loadBalancer:LoadBalancer").flatMap((balancer) => {
    const idle = balancer.fields.number("idleTimeout") ?? DEFAULT_BALANCER_IDLE_SECONDS;
    const allowed = `less than idleTimeout of ${label(balancer)}, ${idle}`;
    return unless(borrow < idle, "connectionPoolConfig.connectionBorrowTimeout", borrow, allowed);
  });
}
