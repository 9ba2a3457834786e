import { accountHash, arn, globalArn, hex, type Place } from "../place.ts";
import { type Properties, text } from "./computed.ts";

/** What AWS would answer about things that another program made, whatever their names are. */
export const EXISTING_ANSWERS: Readonly<Record<string, (args: Properties, place: Place) => Properties>> = {
  "aws:ec2/getSecurityGroup:getSecurityGroup": ({ id, vpcId }, place) => ({
    id,
    vpcId: vpcId ?? `vpc-${hex(text(id))}`,
    name: `existing-${text(id)}`,
    description: "Of another program",
    arn: arn(place, "ec2", `security-group/${text(id)}`),
    tags: {},
  }),
  "aws:iam/getRole:getRole": ({ name }, place) => ({
    id: name,
    name,
    path: "/",
    arn: globalArn(place, "iam", `role/${text(name)}`),
  }),
  "aws:kms/getKey:getKey": ({ keyId }, place) => {
    const id = text(keyId).split("/").at(-1) ?? "";
    return { id, keyId, arn: arn(place, "kms", `key/${id}`), enabled: true };
  },
  "aws:rds/getInstance:getInstance": ({ dbInstanceIdentifier }, place) => {
    const identifier = text(dbInstanceIdentifier);
    const resourceId = `db-${hex(identifier, 26).toUpperCase()}`;
    const secretName = `rds!${resourceId.toLowerCase()}`;
    return {
      id: identifier,
      dbInstanceIdentifier: identifier,
      dbInstanceArn: arn(place, "rds", `db:${identifier}`),
      resourceId,
      engine: "postgres",
      address: `${identifier}.${accountHash(place)}.${place.region}.rds.${place.dnsSuffix}`,
      port: 5432,
      dbName: identifier,
      masterUsername: `${identifier}_admin`,
      masterUserSecrets: [
        {
          secretArn: arn(place, "secretsmanager", `secret:${secretName}-${hex(secretName, 6)}`),
          kmsKeyId: "00000000-0000-4000-8000-000000000000",
          secretStatus: "active",
        },
      ],
      dbSubnetGroup: `${identifier}-subnets`,
      vpcSecurityGroups: [`sg-${hex(identifier)}`],
    };
  },
  "aws:rds/getSubnetGroup:getSubnetGroup": ({ name }, place) => ({
    id: name,
    name,
    arn: arn(place, "rds", `subgrp:${text(name)}`),
    vpcId: `vpc-${hex(text(name))}`,
    subnetIds: ["a", "b"].map((zone) => `subnet-${hex(`${text(name)}-${zone}`)}`),
  }),
};
