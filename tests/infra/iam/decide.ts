import { runSimulation, runUnsafeSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../declared-program.ts";
import { type DeclaredPolicies, type DeclaredRole, guardOf } from "./declared-policies.ts";
import { identityPolicies, numberOf, resourcePolicy } from "./policy-documents.ts";

/** Something that someone wants to do. */
export interface Question {
  /** ARN of a role, or a service such as `rds.amazonaws.com`. */
  readonly principal: string;
  /** Such as `rds-db:connect`. */
  readonly action: string;
  /** ARN, or `*` for an action that knows no resources. */
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
  /** Whether the principal's own account allows it everything, as it does its administrators. Default false. */
  readonly administrator?: boolean;
}

/** Allows whoever holds it everything. */
export const EVERYTHING: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

const ADMINISTRATOR: DeclaredRole["policies"] = [{ name: "administrator", policy: EVERYTHING }];
const NONE: DeclaredRole["policies"] = [];

/** Errors by which the simulation refuses a resource that is none of the action's, whatever the policies are. */
const NOT_OF_THE_ACTION = new Set(["no.resource.types", "multiple.resource.types"]);

const answers = new Map<string, Promise<boolean>>();

/**
 * Whether the declared policies allow it. Whatever the program does not declare is taken to be as open as can be: it admits the
 * program's account and leaves the rest to the policies of its roles, as a key with AWS's default policy does. So a role's policy
 * that reaches too far shows, even where another account's door would be shut today.
 *
 * @throws TypeError when the question makes no sense to IAM, such as an action that does not exist
 */
export function decide(policies: DeclaredPolicies, question: Question): Promise<boolean> {
  const role = policies.roles.find(({ arn }) => arn === question.principal);
  const own = question.administrator === true ? ADMINISTRATOR : (role?.policies ?? NONE);
  const guard = guardOf(policies, question.resource) ?? openTo(policies);
  const key = JSON.stringify([question, numberOf(own), numberOf(guard)]);
  const answer = answers.get(key) ?? simulate(simulationOf(policies.accountId, question, own, guard));
  answers.set(key, answer);
  return answer;
}

async function simulate(simulation: Simulation): Promise<boolean> {
  const result = await runSimulation(simulation, {});
  if (result.resultType === "error") {
    // A resource of another kind is a near miss too, if the policies are asked.
    if (NOT_OF_THE_ACTION.has(result.errors.message)) return simulateBare(simulation);
    throw new TypeError(`IAM cannot decide ${JSON.stringify(simulation.request)}: ${JSON.stringify(result.errors)}`);
  }
  // It knows no key of an encryption context, since those have names of their own, and leaves them out of the context.
  const leftOut = result.resultType === "single" ? (result.result.ignoredContextKeys ?? []) : [];
  const own = leftOut.filter((key) => key.startsWith("kms:EncryptionContext:"));
  if (leftOut.length > own.length)
    throw new TypeError(`${leftOut.join(", ")}: no context of ${simulation.request.action}`);
  return own.length > 0 ? simulateBare(simulation) : result.overallResult === "Allowed";
}

/** Asks the policies without a look at what the action takes. */
function simulateBare(simulation: Simulation): boolean {
  return runUnsafeSimulation(simulation, {}) === "Allowed";
}

function simulationOf(
  ownAccountId: string,
  { principal, action, resource, context = {} }: Question,
  own: DeclaredRole["policies"],
  guard: PolicyDocument,
): Simulation {
  const accountId = resource.split(":")[4] || ownAccountId;
  return {
    request: { principal, action, resource: { resource, accountId }, contextVariables: { ...context } },
    identityPolicies: identityPolicies(own),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resource === "*" ? {} : { resourcePolicy: resourcePolicy(guard) }),
  };
}

const open = new Map<string, PolicyDocument>();

function openTo({ partition, accountId }: DeclaredPolicies): PolicyDocument {
  const AWS = `arn:${partition}:iam::${accountId}:root`;
  const policy = open.get(AWS) ?? {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS }, Action: "*", Resource: "*" }],
  };
  open.set(AWS, policy);
  return policy;
}
