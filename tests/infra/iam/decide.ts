import { runSimulation, runUnsafeSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../declared-program.ts";
import type { DeclaredPolicies } from "./declared-policies.ts";

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
  const simulation = simulationOf(policies, question);
  const key = JSON.stringify(simulation);
  const answer = answers.get(key) ?? simulate(simulation);
  answers.set(key, answer);
  return answer;
}

async function simulate(simulation: Simulation): Promise<boolean> {
  const result = await runSimulation(simulation, {});
  if (result.resultType !== "error") return result.overallResult === "Allowed";
  if (NOT_OF_THE_ACTION.has(result.errors.message)) return allowsByItself(simulation);
  throw new TypeError(`IAM cannot decide ${JSON.stringify(simulation.request)}: ${JSON.stringify(result.errors)}`);
}

/**
 * Whether the principal's own policies allow it. A resource of another kind is a near miss too, but only if the policies are
 * asked: the bare simulation asks them, though not together with a resource's.
 */
function allowsByItself({ resourcePolicy: _, ...simulation }: Simulation): boolean {
  const { principal, resource } = simulation.request;
  const accountId = String(principal).split(":")[4] ?? resource.accountId;
  const request = { ...simulation.request, resource: { ...resource, accountId } };
  return runUnsafeSimulation({ ...simulation, request }, {}) === "Allowed";
}

function simulationOf(policies: DeclaredPolicies, question: Question): Simulation {
  const { principal, action, resource, context = {}, administrator = false } = question;
  const role = policies.roles.find(({ arn }) => arn === principal);
  const own = administrator ? [{ name: "administrator", policy: EVERYTHING }] : [...(role?.policies ?? [])];
  const accountId = resource.split(":")[4] || policies.accountId;
  const resourcePolicy = resource === "*" ? undefined : (policies.ofResources.get(resource) ?? openTo(policies));
  return {
    request: { principal, action, resource: { resource, accountId }, contextVariables: { ...context } },
    identityPolicies: own,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
  };
}

function openTo({ partition, accountId }: DeclaredPolicies): PolicyDocument {
  const AWS = `arn:${partition}:iam::${accountId}:root`;
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS }, Action: "*", Resource: "*" }],
  };
}
