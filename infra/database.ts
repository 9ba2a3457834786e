import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { lookUpAccount } from "./account.ts";
import type { DatabaseArgs, DatabaseAuthentication, InstanceSettings } from "./database/arguments.ts";
import { createMonitoringRole, MONITORING_INTERVAL_SECONDS } from "./database/monitoring.ts";
import { type Account, keyOfAccount } from "./iam.ts";
import { logGroup } from "./log-groups.ts";
import { rdsName } from "./names.ts";
import { type Hop, openPath, securityGroup } from "./security-groups.ts";

export type { DatabaseArgs, DatabaseAuthentication };

/** Port of PostgreSQL, and the only one that RDS Proxy listens on. */
export const POSTGRES_PORT = 5432;

/** Major version of PostgreSQL. Minor versions are AWS's to apply in the maintenance window. */
const MAJOR_VERSION = "17";

/** Logs that the instance exports; AWS would make a log group for each, without retention. */
const LOG_EXPORTS = ["postgresql", "upgrade"] as const;

/** Storage may grow to this many times what was allocated before someone must decide. */
const STORAGE_GROWTH = 4;

/** Days of Database Insights: what its standard mode, and so no further charge, keeps ("Pricing and data retention"). */
const INSIGHTS_DAYS = 7;

/**
 * RDS for PostgreSQL whose master password nobody knows: RDS makes it, keeps it in a secret under a key of its own, and rotates
 * it every seven days. The program never holds it.
 */
export class Database extends pulumi.ComponentResource {
  readonly authentication: DatabaseAuthentication;
  /** Name that `ProxyTarget` takes, and that `aws rds` commands take. */
  readonly instanceIdentifier: pulumi.Output<string>;
  /** `db-…`: new whenever the instance is. */
  readonly resourceId: pulumi.Output<string>;
  readonly databaseName: string;
  readonly #account: pulumi.Output<Account>;
  readonly #hop: Hop;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:Database", name, {}, opts);
    this.#account = pulumi.output(args.account ?? lookUpAccount({ parent: this }));
    const group = securityGroup(
      name,
      { description: "The database: PostgreSQL from the proxy only", vpcId: args.vpcId },
      { parent: this },
    );
    // The secret goes with the instance, so nothing needs this key afterwards: not retained.
    const secretKey = this.#createKey(`${name}-secret`, "Master secret of the database", args.database, {
      parent: this,
    });
    const instance = this.#createInstance(name, args, group.id, secretKey.arn);
    this.#hop = { name, securityGroupId: group.id };
    this.databaseName = args.database.name;
    this.instanceIdentifier = instance.identifier;
    this.resourceId = instance.resourceId;
    this.authentication = {
      mode: "secret",
      secretArn: instance.masterUserSecrets.apply(masterSecretArn),
      keyArn: secretKey.arn,
      user: args.database.user,
    };
    this.registerOutputs({ instanceIdentifier: this.instanceIdentifier, resourceId: this.resourceId });
  }

  /**
   * Opens the database's door to one source on PostgreSQL's port.
   *
   * @returns the rules, for whatever must not start before packets pass
   */
  openTo(source: Hop): readonly pulumi.Resource[] {
    return openPath(source, this.#hop, POSTGRES_PORT, { parent: this });
  }

  #createKey(
    name: string,
    description: string,
    { deletionProtection }: InstanceSettings,
    opts: pulumi.CustomResourceOptions,
  ): aws.kms.Key {
    return new aws.kms.Key(
      name,
      {
        description,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: pulumi.jsonStringify(this.#account.apply(keyOfAccount)),
      },
      { ...opts, protect: deletionProtection },
    );
  }

  #createInstance(
    name: string,
    args: DatabaseArgs,
    securityGroupId: pulumi.Input<string>,
    secretKeyArn: pulumi.Input<string>,
  ): aws.rds.Instance {
    const { database, subnetIds, logRetentionDays = 365, retainLogs, permissionsBoundaryArn } = args;
    const account = this.#account;
    const identifier = rdsName(name, [database.user, database.name]);
    // Without this key no snapshot can be read, the final one included: it outlives the instance.
    const storageKey = this.#createKey(`${name}-storage`, "Storage of the database", database, {
      parent: this,
      retainOnDelete: database.deletionProtection,
    });
    const subnets = new aws.rds.SubnetGroup(name, { description: "Isolated subnets", subnetIds }, { parent: this });
    const parameters = this.#createParameterGroup(name, database.maxConnections);
    const logs = LOG_EXPORTS.map((log) =>
      logGroup(
        `${name}-${log}`,
        { name: `/aws/rds/instance/${identifier}/${log}`, logRetentionDays, retainLogs },
        { parent: this },
      ),
    );
    const [monitor, monitorReady] = createMonitoringRole(name, { identifier, permissionsBoundaryArn, account }, this);
    return new aws.rds.Instance(
      name,
      {
        identifier,
        engine: "postgres",
        engineVersion: MAJOR_VERSION,
        autoMinorVersionUpgrade: true,
        instanceClass: database.instanceClass,
        dbName: database.name,
        username: database.user,
        manageMasterUserPassword: true,
        masterUserSecretKmsKeyId: secretKeyArn,
        port: POSTGRES_PORT,
        parameterGroupName: parameters.name,
        storageType: "gp3",
        allocatedStorage: database.storageGiB,
        maxAllocatedStorage: Math.min(database.storageGiB * STORAGE_GROWTH, 65_536),
        storageEncrypted: true,
        kmsKeyId: storageKey.arn,
        dbSubnetGroupName: subnets.name,
        vpcSecurityGroupIds: [securityGroupId],
        publiclyAccessible: false,
        multiAz: database.multiAz,
        backupRetentionPeriod: database.backupRetentionDays,
        copyTagsToSnapshot: true,
        deletionProtection: database.deletionProtection,
        deleteAutomatedBackups: !database.deletionProtection,
        // The key is new with each stack: one that is destroyed, made again and destroyed leaves two snapshots.
        finalSnapshotIdentifier: pulumi.interpolate`${identifier}-final-${storageKey.keyId}`,
        skipFinalSnapshot: false,
        enabledCloudwatchLogsExports: [...LOG_EXPORTS],
        monitoringInterval: MONITORING_INTERVAL_SECONDS,
        monitoringRoleArn: monitor.arn,
        databaseInsightsMode: "standard",
        performanceInsightsEnabled: true,
        performanceInsightsRetentionPeriod: INSIGHTS_DAYS,
        // It shows statements, so it is kept as the data is.
        performanceInsightsKmsKeyId: storageKey.arn,
        // The proxy logs in with the password of the secret; a role with rds_iam could not.
        iamDatabaseAuthenticationEnabled: false,
        caCertIdentifier: "rds-ca-rsa2048-g1",
      },
      // Not retained: what stayed would hold the security group and the subnets that go. A deletion leaves a final snapshot.
      { parent: this, protect: database.deletionProtection, dependsOn: [...logs, monitorReady] },
    );
  }

  #createParameterGroup(name: string, maxConnections: number): aws.rds.ParameterGroup {
    return new aws.rds.ParameterGroup(
      name,
      {
        family: `postgres${MAJOR_VERSION}`,
        description: "TLS only, and the number of connections that capacity is calculated from",
        parameters: [
          { name: "rds.force_ssl", value: "1" },
          // A static parameter. RDS's default is a formula of the instance's memory that no calculation here could read.
          { name: "max_connections", value: String(maxConnections), applyMethod: "pending-reboot" },
        ],
      },
      { parent: this },
    );
  }
}

function masterSecretArn(secrets: readonly { readonly secretArn: string }[]): string {
  const secret = secrets[0];
  if (secret === undefined) throw new Error("RDS reported no managed master secret for the instance");
  return secret.secretArn;
}
