import assert from "node:assert/strict";
import { runSimulation, runUnsafeSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { DeclaredResource } from "../../local/program/resource.ts";
import { evaluate, type Program } from "../../local/program.ts";
import { only, type PolicyDocument } from "../infra/declared-program.ts";
import { identityPolicies, resourcePolicy } from "../infra/iam/policy-documents.ts";

export const ACCOUNT = "123456789012";
export const REGION = "eu-west-2";
export const REPOSITORY = "octo-org/shop";
export const REPOSITORY_ID = "456789";

/** Folder of the bootstrap program. */
export const BOOTSTRAP = new URL("../../bootstrap/", import.meta.url);

/** The values that a team fills in. */
export const FILLED_IN: Readonly<Record<string, string>> = {
  "aws:allowedAccountIds": `["${ACCOUNT}"]`,
  repository: REPOSITORY,
  repositoryId: REPOSITORY_ID,
};

const evaluated = new Map<string, Promise<Program>>();

/** The bootstrap program, evaluated once for each configuration: what it declares is only read. */
export function bootstrapOf(config: Readonly<Record<string, string>> = {}): Promise<Program> {
  const key = JSON.stringify(config);
  const program = evaluated.get(key) ?? evaluate("account", { folder: BOOTSTRAP, config: { ...FILLED_IN, ...config } });
  evaluated.set(key, program);
  return program;
}

/** A role that bootstrap made, with everything that says what it may do. */
export interface BootstrapRole {
  readonly arn: string;
  readonly trust: PolicyDocument;
  readonly policies: readonly { readonly name: string; readonly policy: PolicyDocument }[];
  /** Documents of its permissions boundary; empty without one. */
  readonly boundary: readonly { readonly name: string; readonly policy: PolicyDocument }[];
}

/** Reads a role by its logical name, such as `production-deploy`. */
export function roleOf(program: Program, name: string): BootstrapRole {
  const role = only(program, "Role", name);
  const policyBy = (arn: unknown) => {
    const found = ofType(program, "aws:iam/policy:Policy").find(({ outputs }) => outputs.arn === arn);
    assert.ok(found, `no managed policy ${arn} is declared`);
    return { name: found.name, policy: parse(found.inputs.policy) };
  };
  const inline = ofType(program, "aws:iam/rolePolicy:RolePolicy").filter(
    ({ inputs }) => inputs.role === role.outputs.name,
  );
  const attached = ofType(program, "aws:iam/rolePolicyAttachment:RolePolicyAttachment").filter(
    ({ inputs }) => inputs.role === role.outputs.name,
  );
  const { permissionsBoundary } = role.inputs;
  return {
    arn: String(role.outputs.arn),
    trust: parse(role.inputs.assumeRolePolicy),
    policies: [
      ...inline.map(({ name: policyName, inputs }) => ({ name: policyName, policy: parse(inputs.policy) })),
      ...attached.map(({ inputs }) => policyBy(inputs.policyArn)),
    ],
    boundary: permissionsBoundary === undefined ? [] : [policyBy(permissionsBoundary)],
  };
}

/** Something that a session of a role wants to do. */
export interface Wish {
  readonly action: string;
  /** ARN, or `*` for an action that knows no resources. */
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

/**
 * Whether AWS would allow it. Resources with a declared policy of their own are asked too; others admit the account, and leave the
 * rest to its roles.
 *
 * @throws TypeError when the question makes no sense to IAM
 */
export async function allows(program: Program, role: BootstrapRole, wish: Wish): Promise<boolean> {
  const result = await runSimulation(simulationOf(program, role, wish), {});
  if (result.resultType === "error")
    throw new TypeError(`IAM cannot decide ${JSON.stringify(wish)}: ${JSON.stringify(result.errors)}`);
  const ignored = result.resultType === "single" ? (result.result.ignoredContextKeys ?? []) : [];
  // What the action does not carry would make a near miss of a case that never reaches its condition. An encryption context has
  // keys of its own, which the simulation does not know: then the policies are asked without a look at what the action takes.
  const own = ignored.filter((key) => key.startsWith("kms:EncryptionContext:"));
  if (ignored.length > own.length) throw new TypeError(`${ignored.join(", ")}: no context of ${wish.action}`);
  if (own.length > 0) return runUnsafeSimulation(simulationOf(program, role, wish), {}) === "Allowed";
  return result.overallResult === "Allowed";
}

function simulationOf(program: Program, role: BootstrapRole, { action, resource, context }: Wish): Simulation {
  return {
    request: {
      principal: role.arn,
      action,
      resource: { resource, accountId: resource.split(":")[4] || ACCOUNT },
      contextVariables: {
        "aws:RequestedRegion": REGION,
        "aws:SecureTransport": "true",
        ...(action.startsWith("s3:") ? { "s3:TlsVersion": "1.3" } : {}),
        ...context,
      },
    },
    identityPolicies: identityPolicies(role.policies),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(role.boundary.length === 0 ? {} : { permissionBoundaryPolicies: identityPolicies(role.boundary) }),
    ...(resource === "*" ? {} : { resourcePolicy: resourcePolicy(guardOf(program, resource)) }),
  };
}

/** Whether the role's trust lets in a token of GitHub's with these claims. */
export function lets(role: BootstrapRole, claims: Readonly<Record<string, string>>, provider = PROVIDER): boolean {
  const issuer = "token.actions.githubusercontent.com";
  const contextVariables = Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [`${issuer}:${name}`, value]),
  );
  // The simulation's own list of keys lacks aud and sub, which it would leave out.
  const result = runUnsafeSimulation(
    {
      request: {
        principal: provider,
        action: "sts:AssumeRoleWithWebIdentity",
        resource: { resource: role.arn, accountId: ACCOUNT },
        contextVariables,
      },
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: resourcePolicy(role.trust),
    },
    {},
  );
  return result === "Allowed";
}

/** GitHub's provider in the account. */
export const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;

/** What a resource says that leaves its use to the policies of the account's roles, as most do. */
export const OPEN: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "*", Resource: "*" }],
};

const guards = new WeakMap<Program, ReadonlyMap<string, PolicyDocument>>();

function guardOf(program: Program, resource: string): PolicyDocument {
  const known = guards.get(program) ?? readGuards(program);
  guards.set(program, known);
  return known.get(resource.split("/.pulumi")[0] ?? resource) ?? OPEN;
}

/** Policies of keys and of the bucket by the resource's ARN; the bucket's alone grants nothing, so the account is let in beside it. */
function readGuards(program: Program): ReadonlyMap<string, PolicyDocument> {
  const keys = ofType(program, "aws:kms/key:Key").map(
    ({ inputs, outputs }) => [String(outputs.arn), parse(inputs.policy)] as const,
  );
  const bucket = String(only(program, "Bucket").outputs.arn);
  const own = parse(only(program, "BucketPolicy").inputs.policy);
  return new Map([...keys, [bucket, { ...own, Statement: [...own.Statement, ...OPEN.Statement] }]]);
}

function ofType(program: Program, type: string): readonly DeclaredResource[] {
  return program.resources.filter((resource) => resource.type === type);
}

function parse(document: unknown): PolicyDocument {
  return JSON.parse(String(document)) as PolicyDocument;
}
