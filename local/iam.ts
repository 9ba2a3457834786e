import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { Place } from "./place.ts";
import type { Program } from "./program.ts";

/** Something that someone wants to do. */
export interface Request {
  /** ARN of a declared role, or a service such as `rds.amazonaws.com`. */
  readonly principal: string;
  /** Such as `rds-db:connect`. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** Decides requests by the policies that the program declares. */
export interface DeclaredIam {
  /**
   * Whether AWS would allow the request: by the policies of the principal's role, and by the resource's own policy where it has one
   * (a key's, a topic's, or a role's trust).
   *
   * @throws IamError when the request makes no sense to IAM, such as an action that does not exist
   */
  allows(request: Request): Promise<boolean>;
}

/** A request or a declared policy that IAM would not even evaluate. */
export class IamError extends Error {
  readonly code = "IAM_REQUEST";
}

/** Clients choose the user that they ask for, so the number of different questions has a bound of its own. */
const REMEMBERED_ANSWERS = 1_000;

interface NamedPolicy {
  readonly name: string;
  readonly policy: unknown;
}

/**
 * Inputs by which a role could be given policies that are not read here; a silent omission would let a wrong role pass. A permissions
 * boundary gives nothing, and what it takes away stands in a document of the account, which is not declared here.
 */
const UNREAD_ROLE_INPUTS = ["inlinePolicies", "managedPolicyArns"];

/** Reads roles, their policies, their trusts and the keys' and topics' policies of an evaluated program. */
export function declaredIam(program: Program): DeclaredIam {
  const identityPolicies = readRolePolicies(program);
  const resourcePolicies = readResourcePolicies(program);
  const decide = async ({ principal, action, resource, context }: Request): Promise<boolean> => {
    const simulation: Simulation = {
      request: {
        principal,
        action,
        resource: { resource, accountId: accountOf(resource, program.place) },
        contextVariables: { ...context },
      },
      identityPolicies: [...(identityPolicies.get(principal) ?? [])],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicies.has(resource) ? { resourcePolicy: resourcePolicies.get(resource) } : {}),
    };
    const result = await runSimulation(simulation, {});
    if (result.resultType === "error") {
      const why = JSON.stringify(result.errors);
      throw new IamError(`IAM cannot decide ${action} on ${resource} by ${principal}: ${why}`);
    }
    return result.overallResult === "Allowed";
  };
  // What is declared does not change, so neither does an answer; a proxy asks the same few questions at each connection.
  const answers = new Map<string, Promise<boolean>>();
  return {
    allows(request) {
      const { principal, action, resource, context = {} } = request;
      const key = JSON.stringify([principal, action, resource, Object.entries(context).sort()]);
      const known = answers.get(key);
      if (known !== undefined) return known;
      if (answers.size >= REMEMBERED_ANSWERS) answers.clear();
      const answer = decide(request);
      answers.set(key, answer);
      return answer;
    },
  };
}

function readRolePolicies(program: Program): ReadonlyMap<string, readonly NamedPolicy[]> {
  const policies = new Map<string, NamedPolicy[]>();
  const arnByName = new Map<unknown, string>();
  for (const role of program.resources.filter((resource) => resource.type === "aws:iam/role:Role")) {
    const unread = UNREAD_ROLE_INPUTS.filter((input) => role.inputs[input] !== undefined);
    if (unread.length > 0)
      throw new IamError(`role ${role.name} declares ${unread.join(", ")}: teach local/iam.ts to read it`);
    arnByName.set(role.outputs.name, String(role.outputs.arn));
    policies.set(String(role.outputs.arn), []);
  }
  for (const policy of program.resources.filter((resource) => resource.type === "aws:iam/rolePolicy:RolePolicy")) {
    const arn = arnByName.get(policy.inputs.role);
    if (arn === undefined)
      throw new IamError(`policy ${policy.name} belongs to the role ${policy.inputs.role}, which is not declared`);
    policies.get(arn)?.push({ name: policy.name, policy: JSON.parse(String(policy.inputs.policy)) });
  }
  return policies;
}

function readResourcePolicies(program: Program): ReadonlyMap<string, unknown> {
  const policies = new Map<string, unknown>();
  for (const { type, inputs, outputs } of program.resources) {
    if (type === "aws:iam/role:Role") policies.set(String(outputs.arn), JSON.parse(String(inputs.assumeRolePolicy)));
    if (type === "aws:kms/key:Key") policies.set(String(outputs.arn), JSON.parse(String(inputs.policy)));
    if (type === "aws:sns/topicPolicy:TopicPolicy") policies.set(String(inputs.arn), JSON.parse(String(inputs.policy)));
  }
  return policies;
}

function accountOf(arn: string, place: Place): string {
  return arn.split(":")[4] || place.accountId;
}
