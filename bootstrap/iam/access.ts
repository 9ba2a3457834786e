import type { Account, PolicyDocument, Statement } from "../../infra/iam.ts";
import { databaseArns, type StackName } from "../names.ts";
import { bucketsOfProgram } from "./actions/buckets.ts";
import { deployActions, readActions, type ServiceActions } from "./actions.ts";
import { readRoles, writeRoles } from "./stack-roles.ts";
import { readState, type StateAccess, writeState } from "./state.ts";

/** Services without regions: a request to them counts as one to the partition's first region. */
const WITHOUT_REGION = new Set(["iam", "route53"]);

/** Values of secrets, by whichever call: nobody who deploys or previews has a use for one. */
export const SECRET_VALUES = ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"] as const;

/** Actions on the database itself, which name it: another stack's in the account is out of reach. */
const ON_DATABASES = [
  "rds:CreateDBInstance",
  "rds:CreateDBSnapshot",
  "rds:DeleteDBInstance",
  "rds:ModifyDBInstance",
  "rds:RebootDBInstance",
] as const;

/**
 * Reads what a preview of the stack reads: its state, and the settings of its resources. Most of those calls know no resources, so
 * they are bounded by the region; none of them answers with a secret's value, and a denial says so, whatever else is attached one
 * day.
 */
export function previewAccess(stack: StackName, state: StateAccess, account: Account): PolicyDocument {
  const services = readActions();
  return document([
    ...readState(stack, state, account),
    ...inRegion(
      services.filter(({ service }) => service !== "iam"),
      account,
    ),
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
export function deployAccess(part: DeployPart, stack: StackName, state: StateAccess, account: Account): PolicyDocument {
  const services = deployActions();
  if (part === "state")
    return document([...writeState(stack, state, account), ...writeRoles(actionsOf(services, "iam"), stack, account)]);
  const named = new Set<string>(ON_DATABASES);
  const inPart = services
    .filter(({ service }) => (PART_OF[service] ?? "service") === part)
    .map(({ service, actions }) => ({ service, actions: actions.filter((action) => !named.has(action)) }));
  return document([...inRegion(inPart, account), ...(part === "database" ? withDatabase(stack, account) : [])]);
}

/**
 * The database: under the stack's name only. With a secret and a storage key of the stack's own, RDS makes the secret and uses the
 * keys on behalf of whoever makes the instance ("Password management with Amazon RDS and AWS Secrets Manager").
 */
function withDatabase(stack: StackName, account: Account): readonly Statement[] {
  const { partition, region, accountId, dnsSuffix } = account;
  const rds = (type: string) => `arn:${partition}:rds:${region}:${accountId}:${type}:*`;
  return [
    {
      Sid: "Databases",
      Effect: "Allow",
      Action: ON_DATABASES,
      // The instance is made of groups that have names of Pulumi's, and its last snapshot is one of them.
      Resource: [databaseArns(stack, account), rds("og"), rds("pg"), rds("snapshot"), rds("subgrp")],
    },
    {
      Sid: "ManagedSecret",
      Effect: "Allow",
      Action: ["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
      Resource: `arn:${partition}:secretsmanager:${region}:${accountId}:secret:rds!db-*`,
    },
    {
      Sid: "KeysForServices",
      Effect: "Allow",
      Action: "kms:CreateGrant",
      Resource: "*",
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" }, StringEquals: { "aws:RequestedRegion": region } },
    },
    {
      Sid: "KeysThroughServices",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
      Condition: {
        StringEquals: { "kms:ViaService": [`rds.${region}.${dnsSuffix}`, `secretsmanager.${region}.${dnsSuffix}`] },
      },
    },
  ];
}

/** One statement for each service, in the one region where the stack is. */
function inRegion(services: readonly ServiceActions[], account: Account): readonly Statement[] {
  const { region } = account;
  return services.map(({ service, actions }) => ({
    Sid: sid(service),
    Effect: "Allow",
    Action: actions,
    Resource: service === "s3" ? bucketsOfProgram(account) : "*",
    ...(WITHOUT_REGION.has(service) ? {} : { Condition: { StringEquals: { "aws:RequestedRegion": region } } }),
  }));
}

/** A statement's id holds letters and digits only. */
function sid(service: string): string {
  return service.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function actionsOf(services: readonly ServiceActions[], service: string): readonly string[] {
  return services.find((candidate) => candidate.service === service)?.actions ?? [];
}

function document(Statement: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement };
}
