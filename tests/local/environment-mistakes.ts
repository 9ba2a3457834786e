import assert from "node:assert/strict";
import { edit, without, withoutStatement } from "../../local/program/edit.ts";
import type { Program } from "../../local/program.ts";
import type { TargetHealth } from "../../local/proxy/target-health.ts";

/** The declared user of the secret. */
export const USER = "service_owner";
const noCredentials = (user: string) =>
  `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`;

/** A slip in what is declared, and what a client of the proxy hears of it. */
export interface Mistake {
  readonly what: string;
  readonly slip: (program: Program) => Program;
  /** User that the client names, if not the declared one. */
  readonly user?: string;
  /** Undefined for silence. */
  readonly text: string | undefined;
  readonly refusal: string;
  /** What the person at the laptop is told beside it. */
  readonly diagnosis: RegExp;
  readonly target: TargetHealth;
}

export const available: TargetHealth = { state: "AVAILABLE" };
const authFailure: TargetHealth = { state: "UNAVAILABLE", reason: "AUTH_FAILURE" };
const unreachable: TargetHealth = { state: "UNAVAILABLE", reason: "UNREACHABLE" };

const IAM = {
  text: `The IAM authentication failed for the role ${USER}. Check the IAM token for this role and try again.`,
  refusal: "IAM_AUTHENTICATION_FAILED",
  // Not for a flaw of the token, which is good.
  diagnosis: /^NOT_ALLOWED: The policies of arn:aws:iam::\d+:role\/\S+ do not allow rds-db:connect on prx-/,
  target: available,
} as const;
const NO_CREDENTIALS = {
  text: noCredentials(USER),
  refusal: "NO_CREDENTIALS",
  diagnosis: /secret/,
  target: authFailure,
} as const;
const SILENCE = {
  text: undefined,
  refusal: "CLIENT_UNREACHABLE",
  diagnosis: /security groups do not let the service reach the proxy .* on port 5432/,
  target: available,
} as const;
const UNREACHABLE = {
  text: "Timed-out waiting to acquire database connection.",
  refusal: "BORROW_TIMED_OUT",
  diagnosis: /the target is UNAVAILABLE \(UNREACHABLE\)/,
  target: unreachable,
} as const;

/** Replaces a text in a policy document, which must hold it. */
export function reworded(
  program: Program,
  type: string,
  name: string,
  input: string,
  from: string,
  to: string,
): Program {
  return edit(program, { type, name }, (inputs) => {
    const document = String(inputs[input]);
    assert.ok(document.includes(from), `${name} holds no ${from}: ${document}`);
    return { ...inputs, [input]: document.replace(from, to) };
  });
}

function withoutRule(program: Program, name: string): Program {
  const type = name.endsWith("-egress") ? "SecurityGroupEgressRule" : "SecurityGroupIngressRule";
  return without(program, { type, name });
}

/** Each slip that a person could make in `infra/`, one at a time. */
export const MISTAKES: readonly Mistake[] = [
  {
    what: "the service's grant is forgotten",
    slip: (program) => without(program, { type: "RolePolicy", name: "proxy-connect-service" }),
    ...IAM,
  },
  {
    what: "the service's grant names another user",
    slip: (program) => reworded(program, "RolePolicy", "proxy-connect-service", "policy", `/${USER}"`, '/reporting"'),
    ...IAM,
  },
  {
    what: "the service's grant spells the user in another case",
    slip: (program) =>
      reworded(program, "RolePolicy", "proxy-connect-service", "policy", `/${USER}"`, '/Service_owner"'),
    ...IAM,
  },
  {
    what: "the task runs with the execution role",
    slip: (program) =>
      edit(program, { type: "TaskDefinition", name: "service" }, (inputs) => ({
        ...inputs,
        taskRoleArn: inputs.executionRoleArn,
      })),
    ...IAM,
  },
  {
    what: "the client names another user than the secret's",
    slip: (program) => program,
    user: "reporting",
    text: noCredentials("reporting"),
    refusal: "NO_CREDENTIALS",
    diagnosis: /reporting/,
    target: available,
  },
  {
    what: "the proxy's role may not decrypt the secret",
    slip: (program) => withoutStatement(program, "proxy-read-secret", "DecryptMasterSecret"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the proxy's role may not read the secret",
    slip: (program) => withoutStatement(program, "proxy-read-secret", "ReadMasterSecret"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the proxy's role trusts another service than RDS",
    slip: (program) =>
      reworded(program, "Role", "proxy", "assumeRolePolicy", "rds.amazonaws.com", "lambda.amazonaws.com"),
    ...NO_CREDENTIALS,
  },
  {
    what: "the service has no egress to the proxy",
    slip: (program) => withoutRule(program, "service-to-proxy-egress"),
    ...SILENCE,
  },
  {
    what: "the proxy has no ingress from the service",
    slip: (program) => withoutRule(program, "service-to-proxy-ingress"),
    ...SILENCE,
  },
  {
    what: "the proxy has no egress to the database",
    slip: (program) => withoutRule(program, "proxy-to-database-egress"),
    ...UNREACHABLE,
  },
  {
    what: "the database has no ingress from the proxy",
    slip: (program) => withoutRule(program, "proxy-to-database-ingress"),
    ...UNREACHABLE,
  },
];
