/** What something costs in eu-west-2, in US dollars without tax. */
export interface Price {
  readonly usd: number;
  /** What one of it is. */
  readonly unit: string;
  readonly source: keyof typeof SOURCES;
  /** Line of AWS's price list, or how the price was come by. */
  readonly line: string;
}

/** Where prices come from, and how far they can be trusted. None was read from AWS itself here. */
export const SOURCES = {
  quoted: {
    title: "AWS Price List Bulk API, offer files of eu-west-2",
    date: "2026-10-06",
    says: "second hand: quoted with its line by a public cost note that was written from these files on that day",
  },
  snapshot: {
    title: "AWS Price List, prices of eu-west-2",
    date: "2026-09-05",
    says: "second hand: from a snapshot in the tests of a public cost estimator",
  },
  published: {
    title: "Amazon CloudWatch Pricing",
    date: "undated",
    says: "not verified: the figure that is commonly given for every region",
  },
  derived: {
    title: "a public list of instance classes by price, and the snapshot",
    date: "undated",
    says: "not verified: no price of eu-west-2 was found, so that of another region and engine is carried over",
  },
} as const;

const HOUR = "hour";
const GB_MONTH = "GB-month";

/** Single-AZ, on demand, PostgreSQL; a standby doubles it (snapshot: db.t4g.micro 0.018 and 0.036). */
export const INSTANCE_CLASSES: Readonly<Record<string, Price & { readonly vcpus: number }>> = {
  "db.t4g.micro": { vcpus: 2, ...quoted(0.018, HOUR, "EUW2-InstanceUsage:db.t4g.micro") },
  "db.t4g.small": { vcpus: 2, ...quoted(0.036, HOUR, "EUW2-InstanceUsage:db.t4g.small") },
  "db.t4g.medium": {
    vcpus: 2,
    usd: 0.072,
    unit: HOUR,
    source: "snapshot",
    line: "db.t4g.medium, PostgreSQL, Single-AZ",
  },
  "db.m7g.large": {
    vcpus: 2,
    usd: 0.206,
    unit: HOUR,
    source: "derived",
    line: "db.m7g.large: 0.168 of MySQL in us-east-1, times what db.r6g.large costs more in London (0.251 / 0.215) and with PostgreSQL (0.264 / 0.251)",
  },
};

/** Linux on Fargate, by processor. */
export const FARGATE: Readonly<Record<string, { readonly vcpu: Price; readonly gb: Price }>> = {
  ARM64: {
    vcpu: quoted(0.03725, "vCPU-hour", "EUW2-Fargate-ARM-vCPU-Hours:perCPU"),
    gb: quoted(0.00409, "GB-hour", "EUW2-Fargate-ARM-GB-Hours"),
  },
  X86_64: {
    vcpu: quoted(0.04656, "vCPU-hour", "EUW2-Fargate-vCPU-Hours:perCPU"),
    gb: quoted(0.00511, "GB-hour", "EUW2-Fargate-GB-Hours"),
  },
};

/** Everything that has one price. */
export const PRICES = {
  databaseStorage: quoted(0.133, GB_MONTH, "EUW2-RDS:GP3-Storage"),
  proxyVcpu: quoted(0.017, "vCPU-hour", "EUW2-RDS:ProxyUsage"),
  loadBalancer: quoted(0.02646, HOUR, "EUW2-LoadBalancerUsage (Application)"),
  loadBalancerCapacity: quoted(0.0084, "LCU-hour", "EUW2-LCUUsage"),
  publicAddress: quoted(0.005, HOUR, "EUW2-PublicIPv4:InUseAddress"),
  interfaceEndpoint: quoted(0.011, "endpoint-hour in a zone", "EUW2-VpcEndpoint-Hours"),
  interfaceEndpointData: quoted(0.01, "GB", "EUW2-VpcEndpoint-Bytes"),
  secret: quoted(0.4, "secret-month", "EUW2-AWSSecretsManager-Secrets"),
  key: quoted(1, "key version-month", "eu-west-2-KMS-Keys"),
  alarm: quoted(0.1, "metric of an alarm", "EUW2-CW:AlarmMonitorUsage"),
  metric: quoted(0.3, "metric-month", "EUW2-CW:MetricMonitorUsage"),
  logsIngested: quoted(0.5985, "GB", "EUW2-DataProcessing-Bytes"),
  logsStored: quoted(0.0315, GB_MONTH, "EUW2-TimedStorage-ByteHrs (CloudWatch Logs)"),
  bucketStorage: quoted(0.024, GB_MONTH, "EUW2-TimedStorage-ByteHrs (S3)"),
  imageStorage: quoted(0.1, GB_MONTH, "EUW2-TimedStorage-ByteHrs (ECR)"),
  dashboard: { usd: 3, unit: "dashboard-month", source: "published", line: "Dashboards" },
} as const satisfies Readonly<Record<string, Price>>;

function quoted(usd: number, unit: string, line: string): Price {
  return { usd, unit, source: "quoted", line };
}
