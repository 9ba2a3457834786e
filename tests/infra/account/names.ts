import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";

/** What AWS takes for a name. */
interface NameRule {
  readonly type: string;
  /** Input that holds the name; a dot leads into an object. */
  readonly property: string;
  /** Most characters. */
  readonly limit: number;
  readonly form: RegExp;
  /** Title of the page that says so. */
  readonly page: string;
  /** Whether AWS refuses, or mixes up, two of the same name in an account and region. */
  readonly unique: boolean;
}

const WORD = /^[A-Za-z0-9_-]+$/;
/** RDS: lower case, a letter first, single hyphens, none at the end. */
const RDS = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** Every name that the program gives itself. */
export const NAME_RULES: readonly NameRule[] = [
  rule("aws:cloudwatch/dashboard:Dashboard", "dashboardName", 255, WORD, "PutDashboard"),
  rule("aws:cloudwatch/logGroup:LogGroup", "name", 512, /^[A-Za-z0-9_/#.-]+$/, "CreateLogGroup"),
  rule("aws:cloudwatch/metricAlarm:MetricAlarm", "name", 255, /^\P{Cc}+$/u, "PutMetricAlarm"),
  rule(
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "metricTransformation.namespace",
    255,
    /^[^:*$]+$/,
    "MetricTransformation",
  ),
  rule("aws:ecs/taskDefinition:TaskDefinition", "family", 255, WORD, "RegisterTaskDefinition"),
  rule("aws:rds/instance:Instance", "identifier", 63, RDS, "CreateDBInstance"),
  rule("aws:rds/instance:Instance", "finalSnapshotIdentifier", 255, RDS, "CreateDBSnapshot"),
  rule("aws:rds/proxy:Proxy", "name", 63, RDS, "CreateDBProxy"),
  rule("aws:sns/topic:Topic", "name", 256, WORD, "CreateTopic"),
  { ...rule("aws:sns/topic:Topic", "displayName", 100, /^\P{Cc}+$/u, "SetTopicAttributes"), unique: false },
];

/** Inputs that give a name where they are not computed from another resource. */
const NAMING = /^(?:name|namePrefix|identifier|identifierPrefix|bucket|bucketPrefix|family|alias)$/;

/** Inputs that look like a name of the program's, and are one of AWS's. */
const AWS_OWN = new Set(["aws:rds/parameterGroup:ParameterGroup family"]);

/** Most characters of a name that Pulumi makes of the logical name, a hyphen and seven digits, with the page that says so. */
export const MADE_NAMES: Readonly<Record<string, readonly [limit: number, page: string]>> = {
  "aws:appautoscaling/policy:Policy": [256, "PutScalingPolicy"],
  "aws:cloudwatch/eventRule:EventRule": [64, "PutRule"],
  "aws:cloudwatch/eventTarget:EventTarget": [64, "Target (Amazon EventBridge)"],
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": [512, "PutMetricFilter"],
  "aws:ec2/securityGroup:SecurityGroup": [255, "CreateSecurityGroup"],
  "aws:ecr/repository:Repository": [256, "CreateRepository"],
  "aws:ecs/cluster:Cluster": [255, "CreateCluster"],
  "aws:ecs/service:Service": [255, "CreateService"],
  "aws:iam/policy:Policy": [128, "CreatePolicy"],
  "aws:iam/role:Role": [64, "CreateRole"],
  "aws:iam/rolePolicy:RolePolicy": [128, "PutRolePolicy"],
  "aws:lb/loadBalancer:LoadBalancer": [32, "CreateLoadBalancer"],
  "aws:lb/targetGroup:TargetGroup": [32, "CreateTargetGroup"],
  "aws:rds/eventSubscription:EventSubscription": [255, "CreateEventSubscription"],
  "aws:rds/parameterGroup:ParameterGroup": [255, "CreateDBParameterGroup"],
  "aws:rds/subnetGroup:SubnetGroup": [255, "CreateDBSubnetGroup"],
  "aws:s3/bucket:Bucket": [63, "General purpose bucket naming rules"],
  "aws:wafv2/webAcl:WebAcl": [128, "CreateWebACL"],
};

/** A name that the program gave, with the rule for it. */
export interface GivenName {
  readonly resource: DeclaredResource;
  readonly rule: NameRule;
  readonly name: string;
}

/** Every name that the program gave itself; those that Pulumi makes end in digits of chance and are left out. */
export function givenNames(program: Program): readonly GivenName[] {
  return program.resources.flatMap((resource) =>
    NAME_RULES.filter(({ type }) => type === resource.type).flatMap((nameRule) => {
      const name = nameRule.property
        .split(".")
        .reduce<unknown>(
          (value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key],
          resource.inputs,
        );
      return name === undefined ? [] : [{ resource, rule: nameRule, name: String(name) }];
    }),
  );
}

/** Names that no rule is known of: each needs a line in `NAME_RULES`. */
export function unknownNames(program: Program): readonly string[] {
  const known = new Set([...NAME_RULES.map(({ type, property }) => `${type} ${property}`), ...AWS_OWN]);
  return program.resources
    .filter(({ custom, type }) => custom && type.startsWith("aws:"))
    .flatMap(({ type, name, inputs, propertyDependencies }) =>
      Object.keys(inputs)
        .filter((key) => NAMING.test(key) && (propertyDependencies[key] ?? []).length === 0)
        .filter((key) => !known.has(`${type} ${key}`))
        .map((key) => `${type} ${key} (${name})`),
    );
}

function rule(type: string, property: string, limit: number, form: RegExp, page: string): NameRule {
  return { type, property, limit, form, page, unique: true };
}
