import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import { GIGABYTES, LOAD_BALANCER_CAPACITY, usual } from "./assumptions.ts";
import { FARGATE, INSTANCE_CLASSES, PRICES, type Price } from "./prices.ts";

/** Hours of a month, as AWS's own calculator counts them. */
const HOURS = 730;

/** One line of the estimate. */
export interface Cost {
  /** What is paid for, in words; the same in every stack. */
  readonly item: string;
  readonly price: Price;
  /** How many units of the price a month. */
  readonly units: number;
  /** Where the units come from, told of all of the item. */
  readonly because: string | ((units: number) => string);
}

type Pricing = (resource: DeclaredResource, program: Program) => readonly Cost[];

/** What is paid for, by the type that says how much of it there is. */
const PRICED: Readonly<Record<string, Pricing>> = {
  "aws:rds/instance:Instance": ({ inputs }) => {
    const price = known(INSTANCE_CLASSES, String(inputs.instanceClass), "instance class");
    const copies = inputs.multiAz === true ? 2 : 1;
    const gib = Number(inputs.allocatedStorage);
    const standby = copies === 2 ? " with a standby" : "";
    return [
      cost("Database: instance", price, copies * HOURS, `\`${inputs.instanceClass}\`${standby}`),
      cost("Database: storage", PRICES.databaseStorage, copies * gib, `${gib} GiB${standby}`),
      cost("Database: managed secret", PRICES.secret, 1, "one"),
      ...(Number(inputs.monitoringInterval ?? 0) > 0
        ? logged("Log: enhanced monitoring", "enhanced-monitoring", 30)
        : []),
    ];
  },
  "aws:rds/proxy:Proxy": (_proxy, program) => {
    const instance = program.resources.find(({ type }) => type === "aws:rds/instance:Instance");
    const { vcpus } = known(INSTANCE_CLASSES, String(instance?.inputs.instanceClass), "instance class");
    // "Amazon RDS Proxy pricing": by the vCPUs of the database, of which two are the fewest that are counted.
    const counted = Math.max(2, vcpus);
    return [cost("Proxy", PRICES.proxyVcpu, counted * HOURS, `${counted} vCPUs of the database`)];
  },
  "aws:ecs/service:Service": ({ inputs }, program) => {
    const task = program.resources.find(({ outputs }) => outputs.arn === inputs.taskDefinition);
    const { cpuArchitecture } = (task?.inputs.runtimePlatform ?? {}) as { readonly cpuArchitecture?: string };
    const price = known(FARGATE, String(cpuArchitecture), "processor");
    const [tasks, vcpu, gb] = [
      Number(inputs.desiredCount),
      Number(task?.inputs.cpu) / 1024,
      Number(task?.inputs.memory) / 1024,
    ];
    const least = `${tasks} task${tasks === 1 ? "" : "s"}, the fewest, of`;
    return [
      cost("Tasks: processor", price.vcpu, tasks * vcpu * HOURS, `${least} ${vcpu} vCPU, ${cpuArchitecture}`),
      cost("Tasks: memory", price.gb, tasks * gb * HOURS, `${least} ${gb} GB`),
    ];
  },
  "aws:lb/loadBalancer:LoadBalancer": ({ inputs }) => {
    const zones = (inputs.subnets as readonly unknown[]).length;
    return [
      cost("Load balancer", PRICES.loadBalancer, HOURS, "one"),
      cost(
        "Load balancer: capacity",
        PRICES.loadBalancerCapacity,
        LOAD_BALANCER_CAPACITY * HOURS,
        `assumed: ${LOAD_BALANCER_CAPACITY} LCU`,
      ),
      ...(inputs.internal === true
        ? []
        : [
            cost(
              "Load balancer: public addresses",
              PRICES.publicAddress,
              zones * HOURS,
              `one in each of ${zones} zones`,
            ),
          ]),
    ];
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": ({ name, inputs }) => {
    if (inputs.vpcEndpointType !== "Interface") return [];
    const zones = (inputs.subnetIds as readonly unknown[]).length;
    const gigabytes = usual(GIGABYTES, name);
    return [
      cost(`Endpoint ${name}`, PRICES.interfaceEndpoint, zones * HOURS, `in ${zones} zones`),
      cost(`Endpoint ${name}: data`, PRICES.interfaceEndpointData, gigabytes, `assumed: ${gigabytes} GB`),
    ];
  },
  "aws:cloudwatch/logGroup:LogGroup": ({ name, inputs }) =>
    logged(`Log: ${name}`, name, Number(inputs.retentionInDays)),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ({ name, inputs }) => {
    const [rule] = inputs.rules as readonly { readonly expiration?: { readonly days?: number } }[];
    const days = rule?.expiration?.days ?? 0;
    const gigabytes = (usual(GIGABYTES, name) * days) / 30;
    return [
      cost(
        `Bucket ${name}`,
        PRICES.bucketStorage,
        gigabytes,
        `assumed: ${usual(GIGABYTES, name)} GB a month, kept ${days} days`,
      ),
    ];
  },
  "awsx:ecr:Repository": ({ name, inputs }) => {
    const { rules } = inputs.lifecyclePolicy as {
      readonly rules: readonly { readonly maximumNumberOfImages?: number }[];
    };
    const kept =
      rules.find(({ maximumNumberOfImages }) => maximumNumberOfImages !== undefined)?.maximumNumberOfImages ?? 1;
    const each = usual(GIGABYTES, name);
    return [cost("Images", PRICES.imageStorage, kept * each, `${kept} kept, assumed: ${each} GB each`)];
  },
  "aws:kms/key:Key": ({ name }) => [cost(`Key ${name}`, PRICES.key, 1, "one; two more after as many yearly rotations")],
  "aws:cloudwatch/metricAlarm:MetricAlarm": ({ inputs }) => {
    const queries = (inputs.metricQueries ?? [{ metric: {} }]) as readonly { readonly metric?: unknown }[];
    const metrics = queries.filter(({ metric }) => metric !== undefined).length;
    return [cost("Alarms", PRICES.alarm, metrics, (all) => `${all} metrics that alarms look at`)];
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": () => [cost("Metric of the log", PRICES.metric, 1, "one")],
  "aws:cloudwatch/dashboard:Dashboard": () => [cost("Dashboard", PRICES.dashboard, 1, "one")],
};

/** What costs nothing by itself: access, addresses within the VPC, rules, settings of what is priced above. */
const FREE = new RegExp(
  `^(?:${[
    "pulumi:.*",
    "passwordless-postgres:.*",
    "docker-build:.*",
    "awsx:ec2:Vpc",
    "awsx:ecr:Image",
    "aws:appautoscaling/.*",
    "aws:cloudwatch/event(?:Rule|Target):.*",
    "aws:ec2/(?:defaultSecurityGroup|flowLog|internetGateway|route|routeTable|routeTableAssociation|securityGroup|subnet|vpc):.*",
    "aws:ecr/.*",
    "aws:ecs/(?:cluster|taskDefinition):.*",
    "aws:iam/.*",
    "aws:lb/(?:listener|targetGroup):.*",
    "aws:rds/(?:eventSubscription|parameterGroup|proxyDefaultTargetGroup|proxyTarget|subnetGroup):.*",
    "aws:route53/record:.*",
    "aws:s3/bucket(?!LifecycleConfiguration:)\\w*:.*",
    "aws:sns/.*",
    "aws:vpc/.*",
  ].join("|")})$`,
);

/** What a month of a declared stack costs, line by line; lines of the same item are one. */
export function costsOf(program: Program): readonly Cost[] {
  const lines = new Map<string, Cost>();
  for (const resource of program.resources) {
    for (const line of PRICED[resource.type]?.(resource, program) ?? []) {
      const before = lines.get(line.item);
      lines.set(line.item, before === undefined ? line : { ...line, units: before.units + line.units });
    }
  }
  return [...lines.values()].sort((one, other) => (one.item < other.item ? -1 : 1));
}

/** Types that neither have a price nor are known to cost nothing. */
export function unpriced(program: Program): readonly string[] {
  const types = new Set(program.resources.map(({ type }) => type));
  return [...types].filter((type) => !(type in PRICED) && !FREE.test(type)).sort();
}

/** Where the units of one line come from. */
export function reason({ because, units }: Cost): string {
  return typeof because === "string" ? because : because(units);
}

/** A month of one line, in US dollars. */
export function monthly({ price, units }: Cost): number {
  return price.usd * units;
}

function logged(item: string, name: string, days: number): readonly Cost[] {
  const gigabytes = usual(GIGABYTES, name);
  return [
    cost(item, PRICES.logsIngested, gigabytes, `assumed: ${gigabytes} GB a month`),
    cost(`${item}, kept`, PRICES.logsStored, (gigabytes * days) / 30, `${days} days of it`),
  ];
}

function cost(item: string, price: Price, units: number, because: Cost["because"]): Cost {
  return { item, price, units, because };
}

function known<T>(table: Readonly<Record<string, T>>, key: string, what: string): T {
  const found = table[key];
  if (found === undefined)
    throw new Error(`no price for the ${what} ${key}: add it to tests/docs/stacks/prices.ts, with its source`);
  return found;
}
