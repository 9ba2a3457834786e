import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseAuthentication } from "./database.ts";
import type { ProxiedDatabase } from "./proxy/arguments.ts";
import { type Hop, openPath } from "./security-groups.ts";

export interface ExistingDatabaseArgs {
  /** Identifier of the RDS for PostgreSQL instance, in the region of the stack. Another one replaces the proxy before it. */
  readonly instanceIdentifier: pulumi.Input<string>;
  /** Its master user, who must be the user of its managed secret: the only one whom the proxy can log in. */
  readonly user: string;
  /** Database that clients ask for. Default: the one that was made with the instance. */
  readonly databaseName?: pulumi.Input<string> | undefined;
  /** The one of the instance's security groups that admits the proxy. Default: its only one; required where it has several. */
  readonly securityGroupId?: string | undefined;
}

/**
 * An RDS for PostgreSQL instance that another program declares: looked up, never changed, but for one rule that lets the proxy in.
 * It fails, in preview already, when the proxy could not log in to it.
 */
export class ExistingDatabase extends pulumi.ComponentResource implements ProxiedDatabase {
  readonly authentication: DatabaseAuthentication;
  readonly instanceIdentifier: pulumi.Output<string>;
  readonly resourceId: pulumi.Output<string>;
  readonly databaseName: pulumi.Output<string>;
  /** VPC of the instance, where the proxy must be too. */
  readonly vpcId: pulumi.Output<string>;
  /** Subnets that the instance may be in: a place for the proxy where there is no better. */
  readonly subnetIds: pulumi.Output<string[]>;
  readonly #hop: Hop;
  readonly #port: pulumi.Output<number>;

  constructor(name: string, args: ExistingDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:ExistingDatabase", name, {}, opts);
    const { instanceIdentifier, user, databaseName, securityGroupId } = args;
    const instance = aws.rds
      .getInstanceOutput({ dbInstanceIdentifier: instanceIdentifier }, { parent: this })
      .apply((found) => usable(found, user, securityGroupId));
    const subnetGroup = aws.rds.getSubnetGroupOutput({ name: instance.dbSubnetGroup }, { parent: this });
    this.instanceIdentifier = instance.dbInstanceIdentifier;
    this.resourceId = instance.resourceId;
    this.databaseName = databaseName === undefined ? instance.dbName : pulumi.output(databaseName);
    this.vpcId = subnetGroup.vpcId;
    this.subnetIds = subnetGroup.subnetIds;
    this.authentication = {
      mode: "secret",
      secretArn: instance.apply((found) => managedSecret(found).secretArn),
      // RDS may name the key by its id alone; policies take ARNs.
      keyArn: aws.kms.getKeyOutput(
        { keyId: instance.apply((found) => managedSecret(found).kmsKeyId) },
        { parent: this },
      ).arn,
      user,
    };
    const groupId = instance.apply(({ vpcSecurityGroups }) => securityGroupId ?? String(vpcSecurityGroups[0]));
    this.#hop = { name, securityGroupId: groupId };
    this.#port = instance.port;
    this.registerOutputs({ instanceIdentifier: this.instanceIdentifier, resourceId: this.resourceId });
  }

  /**
   * Opens the instance's door to one source on its port.
   *
   * @returns the rules, for whatever must not start before packets pass
   */
  openTo(source: Hop): readonly pulumi.Resource[] {
    return openPath(source, this.#hop, this.#port, { parent: this });
  }
}

/** What decides whether a proxy can stand before an instance. */
export type FoundInstance = Pick<
  aws.rds.GetInstanceResult,
  "dbInstanceIdentifier" | "engine" | "masterUsername" | "masterUserSecrets" | "vpcSecurityGroups"
>;

/**
 * Why a proxy could not log in to an instance, or not reach it; empty when it can.
 *
 * @param user whom clients will name
 * @param securityGroupId the one of its groups that is to admit the proxy; undefined means its only one
 */
export function instanceMistakes(found: FoundInstance, user: string, securityGroupId: string | undefined): string[] {
  const mistakes: string[] = [];
  if (found.engine !== "postgres")
    mistakes.push(`its engine is ${found.engine}; allowed: postgres (for Aurora the proxy's target is a cluster)`);
  if (found.masterUserSecrets.length !== 1)
    mistakes.push(
      "it has no managed master secret; let RDS keep it first: `aws rds modify-db-instance --db-instance-identifier " +
        `${found.dbInstanceIdentifier} --manage-master-user-password --apply-immediately\``,
    );
  if (found.masterUsername !== user)
    mistakes.push(
      `its master user is "${found.masterUsername}", but the user is to be "${user}"; allowed: the master user`,
    );
  const groups = found.vpcSecurityGroups;
  if (securityGroupId === undefined ? groups.length !== 1 : !groups.includes(securityGroupId))
    mistakes.push(
      `its security groups are ${groups.join(", ") || "none"}, but securityGroupId is ` +
        `${securityGroupId ?? "not set"}; allowed: one of them, or nothing where it has one only`,
    );
  return mistakes;
}

function usable<T extends FoundInstance>(found: T, user: string, securityGroupId: string | undefined): T {
  const mistakes = instanceMistakes(found, user, securityGroupId);
  if (mistakes.length === 0) return found;
  throw new pulumi.RunError(
    `No proxy can stand before the instance ${found.dbInstanceIdentifier}: ${mistakes.join("; ")}`,
  );
}

function managedSecret({ masterUserSecrets }: FoundInstance): {
  readonly secretArn: string;
  readonly kmsKeyId: string;
} {
  const [secret] = masterUserSecrets;
  if (secret === undefined) throw new TypeError("an instance without a managed secret was taken for usable");
  return secret;
}
