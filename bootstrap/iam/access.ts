import type { Account, PolicyDocument, Statement } from "../../infra/iam.ts";
import type { StackName } from "../names.ts";
import { deployActions, readActions, type ServiceActions } from "./actions.ts";
import { onDatabases, onServices, type Surroundings } from "./services.ts";
import { readRoles, writeRoles } from "./stack-roles.ts";
import { readState, writeState } from "./state.ts";

/** Values of secrets, by whichever call: nobody who deploys or previews has a use for one. */
export const SECRET_VALUES = ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"] as const;

/**
 * Reads what a preview of the stack reads: its state, and the settings of its resources. Most of those calls know no resources, so
 * they are bounded by the region; none of them answers with a secret's value, and a denial says so, whatever else is attached one
 * day.
 */
export function previewAccess(stack: StackName, around: Surroundings, account: Account): PolicyDocument {
  const services = readActions();
  const others = services.filter(({ service }) => service !== "iam");
  return document([
    ...readState(stack, around.state, account),
    ...onServices(others, around, account),
    readRoles(actionsOf(services, "iam"), stack, account),
    { Sid: "NoSecretValues", Effect: "Deny", Action: SECRET_VALUES, Resource: "*" },
  ]);
}

/**
 * Parts of what a deployment may do, each a managed policy: one alone would be longer than IAM allows (6,144 characters; "IAM and
 * AWS STS quotas").
 */
export const DEPLOY_PARTS = ["state", "network", "database", "service"] as const;
export type DeployPart = (typeof DEPLOY_PARTS)[number];

/** Parts of the services; whatever is not named here belongs to the part "service". */
const PART_OF: Readonly<Record<string, DeployPart>> = {
  ec2: "network",
  elasticloadbalancing: "network",
  iam: "state",
  kms: "database",
  rds: "database",
  route53: "network",
  s3: "network",
};

/** What a deployment of the stack does: with its state and roles, and with the services that the program uses; nothing else. */
export function deployAccess(
  part: DeployPart,
  stack: StackName,
  around: Surroundings,
  account: Account,
): PolicyDocument {
  const services = deployActions();
  if (part === "state")
    return document([
      ...writeState(stack, around.state, account),
      ...writeRoles(actionsOf(services, "iam"), stack, account),
    ]);
  const inPart = services.filter(({ service }) => (PART_OF[service] ?? "service") === part);
  return document([
    ...onServices(inPart, around, account),
    ...(part === "database" ? onDatabases(stack, account) : []),
  ]);
}

function actionsOf(services: readonly ServiceActions[], service: string): readonly string[] {
  return services.find((candidate) => candidate.service === service)?.actions ?? [];
}

function document(Statement: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement };
}
