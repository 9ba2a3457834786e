import type { Account, Statement } from "../../infra/iam.ts";
import { databaseArns, type StackName } from "../names.ts";
import { bucketsOfProgram } from "./actions/buckets.ts";
import type { ServiceActions } from "./actions.ts";
import type { StateAccess } from "./state.ts";

/** What a stack's access is about, beside the stack itself. */
export interface Surroundings {
  readonly state: StateAccess;
  /** Hosted zones in which the stack may name its load balancer; none unless they are configured. */
  readonly hostedZoneIds: readonly string[];
}

/** Actions on the database itself, which name it: another stack's in the account is out of reach. */
const ON_DATABASES = [
  "rds:CreateDBInstance",
  "rds:CreateDBSnapshot",
  "rds:DeleteDBInstance",
  "rds:ModifyDBInstance",
  "rds:RebootDBInstance",
] as const;

/** Puts AWS's own names, which an endpoint takes over, into a VPC. */
const OF_ENDPOINTS = "route53:AssociateVPCWithHostedZone";

/** One statement for each service: bounded by what its resources are called, or else by the region where the stack is. */
export function onServices(
  services: readonly ServiceActions[],
  { hostedZoneIds }: Surroundings,
  account: Account,
): readonly Statement[] {
  const named = new Set<string>(ON_DATABASES);
  const inRegion = { StringEquals: { "aws:RequestedRegion": account.region } };
  return services.flatMap(({ service, actions }): readonly Statement[] => {
    if (service === "route53") return onZones(actions, hostedZoneIds, account);
    const Action = actions.filter((action) => !named.has(action));
    const Resource = service === "s3" ? bucketsOfProgram(account) : "*";
    return [{ Sid: sid(service), Effect: "Allow", Action, Resource, Condition: inRegion }];
  });
}

/** Interface endpoints take AWS's own names over in zones of AWS's; records are written in the zones that are configured only. */
function onZones(
  actions: readonly string[],
  hostedZoneIds: readonly string[],
  { partition }: Account,
): readonly Statement[] {
  const endpoints = actions.filter((action) => action === OF_ENDPOINTS);
  const records = actions.filter((action) => action !== OF_ENDPOINTS);
  const zones = hostedZoneIds.map((id) => `arn:${partition}:route53:::hostedzone/${id}`);
  const Resource = records.includes("route53:GetChange") ? [...zones, `arn:${partition}:route53:::change/*`] : zones;
  return [
    ...(endpoints.length === 0
      ? []
      : [{ Sid: "EndpointNames", Effect: "Allow", Action: endpoints, Resource: "*" } as const]),
    ...(zones.length === 0 ? [] : [{ Sid: "Records", Effect: "Allow", Action: records, Resource } as const]),
  ];
}

/** A statement's id holds letters and digits only. */
function sid(service: string): string {
  return service.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The database: under the stack's name only. With a secret and a storage key of the stack's own, RDS makes the secret and uses the
 * keys on behalf of whoever makes the instance ("Password management with Amazon RDS and AWS Secrets Manager").
 */
export function onDatabases(stack: StackName, account: Account): readonly Statement[] {
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
