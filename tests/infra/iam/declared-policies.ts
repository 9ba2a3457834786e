import type { DeclaredResource } from "../../../local/program/resource.ts";
import type { Program } from "../../../local/program.ts";
import type { PolicyDocument } from "../declared-program.ts";
import { managedPolicy } from "./managed-policies.ts";

/** A role of the program with the policies that say what it may do. */
export interface DeclaredRole {
  /** Logical name. */
  readonly name: string;
  readonly arn: string;
  readonly policies: readonly { readonly name: string; readonly policy: PolicyDocument }[];
}

/** Everything in a program that grants something to someone. */
export interface DeclaredPolicies {
  readonly accountId: string;
  readonly partition: string;
  readonly roles: readonly DeclaredRole[];
  /** Policies of resources (the trust of a role, the policy of a key or a topic) by the resource's ARN. */
  readonly ofResources: ReadonlyMap<string, PolicyDocument>;
}

/**
 * Where policies of resources stand: type, input, and the property that holds the ARN of the resource that they guard, or its
 * name where it is a bucket.
 */
const RESOURCE_POLICIES: readonly (readonly [type: string, input: string, arn: string])[] = [
  ["aws:iam/role:Role", "assumeRolePolicy", "arn"],
  ["aws:kms/key:Key", "policy", "arn"],
  ["aws:sns/topic:Topic", "policy", "arn"],
  ["aws:sns/topicPolicy:TopicPolicy", "policy", "arn"],
  ["aws:s3/bucketPolicy:BucketPolicy", "policy", "bucket"],
];

/** Inputs that are read here, or whose documents only take away. */
const READ = new Set([
  ...RESOURCE_POLICIES.map(([type, input]) => `${type} ${input}`),
  "aws:iam/rolePolicy:RolePolicy policy",
  // What a policy of an endpoint allows must be allowed elsewhere too.
  "aws:ec2/vpcEndpoint:VpcEndpoint policy",
]);

const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

/** Types that grant without a document of their own, and inputs of a role that do. A grant that is overlooked is no finding. */
const UNREAD_TYPES = /^aws:(?:iam\/(?!role:|rolePolicy:|rolePolicyAttachment:)|kms\/grant:|lambda\/permission:)/;
const UNREAD_ROLE_INPUTS = ["inlinePolicies", "managedPolicyArns"];

/**
 * Reads every policy of a program.
 *
 * @throws TypeError when something is declared that grants in a way that is not read here
 */
export function readPolicies(program: Program): DeclaredPolicies {
  for (const resource of program.resources) refuseUnread(resource);
  const byType = (type: string) => program.resources.filter((resource) => resource.type === type);
  const roles = byType("aws:iam/role:Role").map((role) => ({
    name: role.name,
    arn: String(role.outputs.arn),
    policies: [
      ...byType("aws:iam/rolePolicy:RolePolicy")
        .filter(({ inputs }) => inputs.role === role.outputs.name)
        .map(({ name, inputs }) => ({ name, policy: parse(inputs.policy) })),
      ...byType(ATTACHMENT)
        .filter(({ inputs }) => inputs.role === role.outputs.name)
        .map(({ name, inputs }) => ({ name, policy: attachedPolicy(inputs.policyArn, program) })),
    ],
  }));
  const attached = roles.reduce((sum, { policies }) => sum + policies.length, 0);
  const declared = byType("aws:iam/rolePolicy:RolePolicy").length + byType(ATTACHMENT).length;
  if (attached !== declared) throw new TypeError(`${declared - attached} policies belong to no declared role`);
  const ofResources = RESOURCE_POLICIES.flatMap(([type, input, arn]) =>
    byType(type)
      .filter(({ inputs }) => inputs[input] !== undefined)
      .map(({ inputs, outputs }) => [arnOf(String(outputs[arn]), program), parse(inputs[input])] as const),
  );
  const { accountId, partition } = program.place;
  return { accountId, partition, roles, ofResources: new Map(ofResources) };
}

/** Buckets are known by name, and their names are all that is in their ARNs. */
function arnOf(arnOrBucket: string, { place: { partition } }: Program): string {
  return arnOrBucket.startsWith("arn:") ? arnOrBucket : `arn:${partition}:s3:::${arnOrBucket}`;
}

/** The policy that guards a resource, or what is in it; undefined where none is declared. */
export function guardOf({ ofResources }: DeclaredPolicies, resource: string): PolicyDocument | undefined {
  return ofResources.get(resource) ?? (isInBucket(resource) ? ofResources.get(bucketOf(resource)) : undefined);
}

function isInBucket(resource: string): boolean {
  return /^arn:[^:]+:s3:::/.test(resource) && resource.includes("/");
}

function bucketOf(resource: string): string {
  return resource.slice(0, resource.indexOf("/"));
}

const managed = new Map<string, PolicyDocument>();

/** One object for a document, however often it is read: what decides on it remembers it by identity. */
function attachedPolicy(policyArn: unknown, { place: { partition } }: Program): PolicyDocument {
  const arn = String(policyArn);
  const found = managedPolicy(arn, partition);
  if (found === undefined)
    throw new TypeError(`the policy ${arn} grants something: teach tests/infra/iam/managed-policies.ts what`);
  const policy = managed.get(arn) ?? found;
  managed.set(arn, policy);
  return policy;
}

function refuseUnread({ type, name, inputs }: DeclaredResource): void {
  const advice = "teach tests/infra/iam/declared-policies.ts to read it";
  if (UNREAD_TYPES.test(type)) throw new TypeError(`${type} ${name} grants something: ${advice}`);
  for (const [input, value] of Object.entries(inputs)) {
    const overlooked = isPolicy(value) && !READ.has(`${type} ${input}`);
    const unread = type === "aws:iam/role:Role" && UNREAD_ROLE_INPUTS.includes(input);
    if (overlooked || unread) throw new TypeError(`${input} of ${type} ${name} may grant something: ${advice}`);
  }
}

function isPolicy(value: unknown): boolean {
  return typeof value === "string" && /"Statement"\s*:/.test(value);
}

function parse(document: unknown): PolicyDocument {
  return JSON.parse(String(document)) as PolicyDocument;
}
