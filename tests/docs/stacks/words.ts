import type { DeclaredResource } from "../../../local/program/resource.ts";

/** Words for types whose token does not read well. */
const TYPES: Readonly<Record<string, string>> = {
  "aws:appautoscaling/target:Target": "autoscaling",
  "aws:rds/instance:Instance": "database",
  "aws:rds/parameterGroup:ParameterGroup": "database parameters",
  "aws:ecs/service:Service": "service",
  "aws:kms/key:Key": "key",
  "aws:lb/loadBalancer:LoadBalancer": "load balancer",
  "awsx:ecr:Repository": "repository",
};

/** Types of which there are several, so that each is called by its logical name too. */
const SINGLE = new Set(["autoscaling", "database", "database parameters", "service", "load balancer", "repository"]);

/** A resource in words, such as "log group database-upgrade". */
export function resourceInWords({ type, name }: DeclaredResource): string {
  const words = TYPES[type] ?? inWords(type.split(":").at(-1) ?? type);
  return SINGLE.has(words) ? words : `${words} ${name}`;
}

/** Words for properties that do not read well. */
const PROPERTIES: Readonly<Record<string, string>> = {
  protect: "protected from deletion by Pulumi",
  retainOnDelete: "stays in AWS when no longer declared",
  declared: "declared",
  "parameters.1.value": "max_connections",
  retentionInDays: "retention in days",
  instanceClass: "instance class",
  multiAz: "standby in another zone",
  desiredCount: "tasks of the first deployment",
  minCapacity: "fewest tasks",
  maxCapacity: "most tasks",
};

/** A property in words: `backupRetentionPeriod` is "backup retention period". */
export function propertyInWords(property: string): string {
  const known = PROPERTIES[property];
  if (known !== undefined) return known;
  const parts = property.split(".").filter((part) => !/^\d+$/.test(part));
  return parts.map(inWords).join(": ");
}

/** A value in words, in one cell of a table. */
export function valueInWords(value: unknown): string {
  if (value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return `\`${String(value)}\``;
}

function inWords(camelCase: string): string {
  return camelCase.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}
