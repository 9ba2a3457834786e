import * as pulumi from "@pulumi/pulumi";
import type { DatabaseAuthentication } from "../database.ts";
import type { Account } from "../iam.ts";
import type { Hop } from "../security-groups.ts";

/** What the proxy must know of the database behind it. `Database` and `ExistingDatabase` are such. */
export interface ProxiedDatabase {
  /** How the proxy logs in. A change is granted beside what the old proxy still needs. */
  readonly authentication: DatabaseAuthentication;
  /** The instance identifier (not the `db-…` resource id), which the proxy's target takes. */
  readonly instanceIdentifier: pulumi.Input<string>;
  /** `db-…`. A change means another database, and replaces the proxy, its target and so its endpoint. */
  readonly resourceId: pulumi.Input<string>;
  /** Database that clients ask for; clients are told of it, the proxy itself serves every database of the instance. */
  readonly databaseName: pulumi.Input<string>;
  /** Opens the database's door to one source and returns the rules, which the proxy then waits for. */
  openTo(source: Hop): readonly pulumi.Resource[];
}

export interface DatabaseProxyArgs {
  /** The one database that the proxy stands before. */
  readonly database: ProxiedDatabase;
  /** VPC of the database, the proxy and its clients. A change replaces the proxy's security group. */
  readonly vpcId: pulumi.Input<string>;
  /**
   * Two subnets or more in different zones, with addresses to spare: ten, or 15 and more for large instances ("Planning for IP
   * address capacity"). A change replaces the proxy, and so its endpoint.
   */
  readonly subnetIds: pulumi.Input<string[]>;
  /**
   * Share of the database's `max_connections` that the proxy may open, in percent, 1 to 100. Default 60: the rest is head-room for
   * administration and migration. A change takes effect in place.
   */
  readonly maxConnectionsPercent?: number;
  /** How long a client waits for a database connection, in seconds, 0 to 3,600. Default 30. A change takes effect in place. */
  readonly borrowTimeoutSeconds?: number;
  /**
   * After how many seconds of silence the proxy closes a client's connection, 60 to 28,800. Default 1,800. Keep it above the
   * longest life of a connection in the client's pool. A change takes effect in place.
   */
  readonly idleClientTimeoutSeconds?: number;
  /** Days that the proxy's log is kept, a value that CloudWatch Logs knows. Default 365. A change takes effect in place. */
  readonly logRetentionDays?: number;
  /** Whether the log stays when another proxy, with another log, takes this one's place. Default false. */
  readonly retainLogs?: boolean;
  /** ARN of the managed policy that bounds the proxy's role. Default none. A change takes effect in place. */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /** Where the proxy is made. Default: looked up with the component's own provider. */
  readonly account?: pulumi.Input<Account>;
}

/** The role of a client: one of the program's, or an existing one by name. */
export interface ClientRole {
  /** Name of the role, without its path. Another one replaces the grant. */
  readonly name: pulumi.Input<string>;
}

/** The security group of a client's network interface: one of the program's, or an existing one by id. */
export interface ClientSecurityGroup {
  /** Id of the group, in the proxy's VPC. Another one replaces the rules. */
  readonly id: pulumi.Input<string>;
}

/** Leave to connect, as `grantConnect` gives it: all that a client has to know, and what must exist before it tries. */
export interface ConnectGrant {
  /** Host name to dial, to sign for and to verify. */
  readonly host: pulumi.Output<string>;
  /** Always 5432: the proxy listens nowhere else, and tokens are signed for it. */
  readonly port: number;
  /** The database user that the token names. */
  readonly user: string;
  /** Database to ask for. */
  readonly databaseName: pulumi.Input<string>;
  /** Proxy target, policy and security group rules: a client that starts before them is refused or hears nothing. */
  readonly ready: readonly pulumi.Resource[];
}

/** The numbers of a proxy, all of them known. */
export type ProxySettings = Required<
  Pick<
    DatabaseProxyArgs,
    "maxConnectionsPercent" | "borrowTimeoutSeconds" | "idleClientTimeoutSeconds" | "logRetentionDays"
  >
>;

const DEFAULTS: ProxySettings = {
  maxConnectionsPercent: 60,
  borrowTimeoutSeconds: 30,
  idleClientTimeoutSeconds: 1_800,
  logRetentionDays: 365,
};

/** "ConnectionPoolConfiguration" and "CreateDBProxy" of the RDS API; whole numbers. */
const RANGES: Readonly<Record<keyof ProxySettings, readonly [from: number, to: number]>> = {
  maxConnectionsPercent: [1, 100],
  borrowTimeoutSeconds: [0, 3_600],
  idleClientTimeoutSeconds: [60, 28_800],
  logRetentionDays: [1, 3_653],
};

/**
 * The settings of a proxy, with the defaults where nothing is said.
 *
 * @throws pulumi.RunError that names every setting out of its range
 */
export function proxySettings(args: Partial<ProxySettings>): ProxySettings {
  const settings: ProxySettings = {
    maxConnectionsPercent: args.maxConnectionsPercent ?? DEFAULTS.maxConnectionsPercent,
    borrowTimeoutSeconds: args.borrowTimeoutSeconds ?? DEFAULTS.borrowTimeoutSeconds,
    idleClientTimeoutSeconds: args.idleClientTimeoutSeconds ?? DEFAULTS.idleClientTimeoutSeconds,
    logRetentionDays: args.logRetentionDays ?? DEFAULTS.logRetentionDays,
  };
  const mistakes = (Object.keys(RANGES) as (keyof ProxySettings)[]).flatMap((key) => {
    const [from, to] = RANGES[key];
    const value = settings[key];
    if (Number.isInteger(value) && value >= from && value <= to) return [];
    return [`${key} is ${value}; allowed: a whole number from ${from} to ${to}`];
  });
  if (mistakes.length > 0) throw new pulumi.RunError(`DatabaseProxy: ${mistakes.join("; ")}`);
  return settings;
}

/**
 * The subnets of a proxy.
 *
 * @throws pulumi.RunError when there are fewer than two, which RDS Proxy would refuse
 */
export function proxySubnets(subnetIds: readonly string[]): string[] {
  if (new Set(subnetIds).size >= 2) return [...subnetIds];
  throw new pulumi.RunError(
    `DatabaseProxy: subnetIds are ${JSON.stringify(subnetIds)}; allowed: two subnets or more, in different zones`,
  );
}
