import * as pulumi from "@pulumi/pulumi";
import { type Capacity, capacityMistake } from "./capacity.ts";
import { between, ConfigReader, matching, oneOf } from "./config-reader.ts";
import { FARGATE_CONTAINER_LIMIT, nestingMistakes, type Timeouts } from "./timeouts.ts";

/** Processor of the image's platform and of the task's alike. */
export type CpuArchitecture = "ARM64" | "X86_64";

/** The whole configuration of a stack, parsed once. */
export interface Configuration {
  readonly tier: "production" | "staging";
  readonly network: NetworkConfiguration;
  readonly entrance: EntranceConfiguration;
  readonly database: DatabaseConfiguration;
  readonly proxy: { readonly maxConnectionsPercent: number };
  readonly service: ServiceConfiguration;
  readonly timeouts: Timeouts;
  readonly logRetentionDays: number;
  readonly alarms: { readonly email: string | undefined; readonly runbookUrl: string };
}

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

/** How clients come in. */
export interface EntranceConfiguration {
  readonly certificateArn: string | undefined;
  /** Ranges that may reach an internet-facing load balancer; empty makes it internal. */
  readonly ingressCidrs: readonly string[];
}

export interface DatabaseConfiguration {
  readonly name: string;
  readonly user: string;
  readonly instanceClass: string;
  readonly storageGiB: number;
  readonly maxConnections: number;
  readonly multiAz: boolean;
  readonly deletionProtection: boolean;
  readonly backupRetentionDays: number;
}

export interface ServiceConfiguration {
  readonly cpuArchitecture: CpuArchitecture;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly minTasks: number;
  readonly maxTasks: number;
  readonly targetCpuPercent: number;
  readonly poolSize: number;
}

/** Fargate's memory for each CPU size, in MiB: from, to, step ("Task CPU and memory", ECS). */
const FARGATE_MEMORY: Readonly<Record<number, readonly [from: number, to: number, step: number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16384, 1024],
  4096: [8192, 30720, 1024],
};

/** Retentions that CloudWatch Logs knows ("PutRetentionPolicy"). */
const LOG_RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const CIDR = matching(
  /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\/)|(?=\/))){4}\/(?:[12]?\d|3[0-2])$/,
  "an IPv4 range such as 203.0.113.0/24",
);
const EMAIL = matching(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address");
const RUNBOOK = matching(/^[^\s#]{1,200}$/, "a path or URL of at most 200 characters, no space, no #");
const SUBNET = matching(/^subnet-[0-9a-f]+$/, "a subnet id such as subnet-0123456789abcdef0");
/** PostgreSQL's unquoted names; RDS wants a letter first and reserves its own. */
const DATABASE_NAME = matching(
  /^(?!rds)[a-z][a-z0-9_]{0,62}$/,
  "lower-case letters, digits and _, a letter first, at most 63, not rds…",
);
const DATABASE_USER = matching(
  /^(?!rds|pg_|postgres$|admin$)[a-z][a-z0-9_]{0,62}$/,
  "lower-case letters, digits and _, a letter first, at most 63; not rds…, pg_…, postgres or admin",
);

/** Prefixes below this length are "the world": no single owner holds so much of it. */
const WORLD_PREFIX = 8;

/**
 * Reads and checks the stack's configuration. Throws one `pulumi.RunError` that names every mistake with key, value and what is
 * allowed. Nothing else in the program reads configuration, and nothing reads it when a module is loaded.
 */
export function loadConfiguration(): Configuration {
  const read = new ConfigReader(new pulumi.Config());
  const configuration: Configuration = {
    tier: read.choice("tier", ["staging", "production"]),
    network: readNetwork(read),
    entrance: readEntrance(read),
    database: readDatabase(read),
    proxy: { maxConnectionsPercent: read.integer("proxyMaxConnectionsPercent", between(1, 70)) },
    service: readService(read),
    timeouts: readTimeouts(read),
    logRetentionDays: read.integer("logRetentionDays", oneOf<number>(...LOG_RETENTIONS)),
    alarms: {
      email: read.text("alarmEmail", EMAIL, { optional: true }) || undefined,
      runbookUrl: read.text("runbookUrl", RUNBOOK),
    },
  };
  refuseTooManyConnections(read, configuration);
  if (configuration.tier === "production") refuseWeakProduction(read, configuration);
  read.finish();
  return configuration;
}

function readNetwork(read: ConfigReader): NetworkConfiguration {
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

function readEntrance(read: ConfigReader): EntranceConfiguration {
  const arn = matching(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
    "the ARN of an ACM certificate",
  );
  const certificateArn = read.text("certificateArn", arn, { optional: true }) || undefined;
  const ingressCidrs = read.list("ingressCidrs", CIDR);
  const world = ingressCidrs.filter((cidr) => Number(cidr.split("/")[1]) < WORLD_PREFIX);
  if (world.length > 0 && certificateArn === undefined) {
    read.refuse("ingressCidrs", world, `ranges of /${WORLD_PREFIX} or longer prefixes, unless certificateArn is set`);
  }
  return { certificateArn, ingressCidrs };
}

function readDatabase(read: ConfigReader): DatabaseConfiguration {
  return {
    name: read.text("databaseName", DATABASE_NAME),
    user: read.text("databaseUser", DATABASE_USER),
    instanceClass: read.text(
      "databaseInstanceClass",
      matching(/^db\.[a-z0-9]+(?:-[a-z0-9]+)?\.[a-z0-9]+$/, "an instance class such as db.t4g.medium"),
    ),
    storageGiB: read.integer("databaseStorageGiB", between(20, 65_536)),
    maxConnections: read.integer("maxConnections", between(20, 5_000)),
    multiAz: read.flag("multiAz"),
    deletionProtection: read.flag("deletionProtection"),
    backupRetentionDays: read.integer("backupRetentionDays", between(1, 35)),
  };
}

function readService(read: ConfigReader): ServiceConfiguration {
  const cpu = read.integer("taskCpu", oneOf(...Object.keys(FARGATE_MEMORY).map(Number)));
  const [from, to, step] = FARGATE_MEMORY[cpu] ?? [512, 30_720, 512];
  const memory = {
    says: `${from} to ${to} in steps of ${step}${Number.isNaN(cpu) ? "" : ` with taskCpu ${cpu}`}`,
    accepts: (mib: number) => mib >= from && mib <= to && (mib - from) % step === 0,
  };
  const minTasks = read.integer("minTasks", between(1, 100));
  const maxTasks = read.integer("maxTasks", between(1, 100));
  if (maxTasks < minTasks) read.refuse("maxTasks", maxTasks, `at least minTasks (${minTasks})`);
  return {
    cpuArchitecture: read.choice("cpuArchitecture", ["ARM64", "X86_64"]),
    cpu,
    memoryMiB: read.integer("taskMemoryMiB", memory),
    minTasks,
    maxTasks,
    targetCpuPercent: read.integer("targetCpuPercent", between(10, 90)),
    poolSize: read.integer("poolSize", between(1, 100)),
  };
}

function readTimeouts(read: ConfigReader): Timeouts {
  const timeouts: Timeouts = {
    connectRetry: read.integer("connectRetrySeconds", between(1, 600)),
    borrow: read.integer("borrowTimeoutSeconds", between(1, 3_600)),
    requestDeadline: read.integer("requestDeadlineSeconds", between(1, 3_600)),
    loadBalancerIdle: read.integer("loadBalancerIdleSeconds", between(1, 4_000)),
    keepAlive: read.integer("keepAliveSeconds", between(1, 4_000)),
    connectionLifetime: read.integer("connectionLifetimeSeconds", between(1, 86_400)),
    proxyIdleClient: read.integer("proxyIdleClientSeconds", between(60, 28_800)),
    drain: read.integer("drainSeconds", between(1, FARGATE_CONTAINER_LIMIT)),
    stop: read.integer("stopTimeoutSeconds", between(2, FARGATE_CONTAINER_LIMIT)),
    migrationDeadline: read.integer("migrationDeadlineSeconds", between(1, FARGATE_CONTAINER_LIMIT)),
  };
  // Comparisons with NaN are mistakes that were told already, as the keys that could not be read.
  if (Object.values(timeouts).every(Number.isInteger)) {
    for (const mistake of nestingMistakes(timeouts)) read.conflict(mistake);
  }
  return timeouts;
}

function refuseTooManyConnections(read: ConfigReader, { service, database, proxy }: Configuration): void {
  const capacity: Capacity = {
    maxTasks: service.maxTasks,
    poolSize: service.poolSize,
    maxConnections: database.maxConnections,
    proxyMaxConnectionsPercent: proxy.maxConnectionsPercent,
    oversubscription: read.integer("poolOversubscription", between(1, 20)),
  };
  if (!Object.values(capacity).every(Number.isInteger)) return;
  const mistake = capacityMistake(capacity);
  if (mistake) read.conflict(mistake);
}

function refuseWeakProduction(read: ConfigReader, { entrance, database }: Configuration): void {
  if (entrance.certificateArn === undefined)
    read.refuse("certificateArn", "", "the ARN of an ACM certificate, in tier production");
  if (!database.multiAz) read.refuse("multiAz", database.multiAz, "true, in tier production");
  if (!database.deletionProtection) read.refuse("deletionProtection", false, "true, in tier production");
  if (database.backupRetentionDays < 7) {
    read.refuse("backupRetentionDays", database.backupRetentionDays, "7 or more, in tier production");
  }
}
