import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type DatabaseAuthentication, POSTGRES_PORT } from "./database.ts";
import { type Account, connectThroughProxy, readSecret, trustRds } from "./iam.ts";
import { rdsName } from "./names.ts";
import { role } from "./roles.ts";
import { type Hop, openPath, securityGroup } from "./security-groups.ts";

/** AWS needs up to an hour to delete a proxy whose network interfaces are still in use. */
const DELETE_TIMEOUT = "60m";

/** What the proxy must know of the database behind it. `Database` is one. */
export interface ProxiedDatabase {
  readonly authentication: DatabaseAuthentication;
  /** The instance identifier (not the `db-…` resource id). */
  readonly instanceIdentifier: pulumi.Output<string>;
  /** `db-…`: a change means another database, and so another proxy. */
  readonly resourceId: pulumi.Output<string>;
  readonly databaseName: string;
  /** Opens the database's door to one source and returns the rules. */
  openTo(source: Hop): readonly pulumi.Resource[];
}

export interface DatabaseProxyArgs {
  readonly database: ProxiedDatabase;
  readonly vpcId: pulumi.Input<string>;
  /** Two subnets or more in different zones. A change replaces the proxy, and so its endpoint. */
  readonly subnetIds: pulumi.Output<string[]>;
  /** Share of the database's `max_connections` that the proxy may open, in percent. */
  readonly maxConnectionsPercent: number;
  /** How long a client waits for a database connection, in seconds. */
  readonly borrowTimeoutSeconds: number;
  /** After how many seconds of silence the proxy closes a client's connection. */
  readonly idleClientTimeoutSeconds: number;
  /** Days that the proxy's log is kept. */
  readonly logRetentionDays: number;
  /** ARN of the managed policy that bounds the proxy's role. Default none. */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  readonly account: pulumi.Output<Account>;
}

/** Leave to connect, as `grantConnect` gives it: all that a client has to know, and what must exist before it tries. */
export interface ConnectGrant {
  /** Host name to dial, to sign for and to verify. */
  readonly host: pulumi.Output<string>;
  readonly port: number;
  readonly user: string;
  readonly databaseName: string;
  /** Proxy target, policy and security group rules: a client that starts before them is refused or hears nothing. */
  readonly ready: readonly pulumi.Resource[];
}

/**
 * An RDS Proxy that admits clients by IAM token over TLS only, and logs in to the database with the rotating master secret, which
 * it alone may read.
 */
export class DatabaseProxy extends pulumi.ComponentResource {
  readonly endpoint: pulumi.Output<string>;
  readonly proxyName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly targetGroupName: pulumi.Output<string>;
  readonly #args: DatabaseProxyArgs;
  readonly #name: string;
  readonly #hop: Hop;
  readonly #target: aws.rds.ProxyTarget;

  constructor(name: string, args: DatabaseProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:DatabaseProxy", name, {}, opts);
    this.#args = args;
    this.#name = name;
    const group = securityGroup(
      name,
      { description: "The proxy: PostgreSQL from granted clients to the database", vpcId: args.vpcId },
      { parent: this },
    );
    this.#hop = { name, securityGroupId: group.id };
    const { permissionsBoundaryArn } = args;
    const ownRole = role(name, { trust: trustRds(), permissionsBoundaryArn }, { parent: this });
    // A role's ARN does not wait for its policy, nor a security group's id for its rules: whatever needs them must say so.
    const working = [this.#letReadSecret(name, ownRole), ...args.database.openTo(this.#hop)];
    const proxy = this.#createProxy(name, ownRole, group.id, working);
    const targetGroup = this.#createTargetGroup(name, proxy);
    this.#target = this.#createTarget(name, proxy, targetGroup, working);
    this.endpoint = proxy.endpoint;
    this.proxyName = proxy.name;
    this.arn = proxy.arn;
    this.targetGroupName = targetGroup.name;
    this.registerOutputs({ endpoint: this.endpoint, proxyName: this.proxyName, arn: this.arn });
  }

  /**
   * Lets a task role connect as a database user, and opens both doors at once: IAM, and the network from the task's security
   * group.
   *
   * @param taskRole role of the running container; never the execution role
   * @param databaseUser must be the user of the proxy's secret, spelled as the database has it: the proxy can log in no other
   * @param securityGroup of the client's network interface
   * @param clientName word for the client in names and descriptions of rules
   * @throws when the proxy has no credentials for `databaseUser`
   */
  grantConnect(
    taskRole: aws.iam.Role,
    databaseUser: string,
    securityGroup: aws.ec2.SecurityGroup,
    clientName = "service",
  ): ConnectGrant {
    const { database, account } = this.#args;
    if (databaseUser !== database.authentication.user) {
      throw new pulumi.RunError(
        `grantConnect: the proxy has no credentials for the database user "${databaseUser}"; allowed: ` +
          `"${database.authentication.user}", the user of its secret`,
      );
    }
    const policy = pulumi
      .all([this.arn, account])
      .apply(([arn, where]) => JSON.stringify(connectThroughProxy(arn, databaseUser, where)));
    // A policy document is updated in place, which would take the old proxy from tasks that still use it. As a resource that is
    // replaced instead, the new grant stands beside the old one until the service has moved.
    const connect = new aws.iam.RolePolicy(
      `${this.#name}-connect-${clientName}`,
      { role: taskRole.name, policy },
      { parent: this, replaceOnChanges: ["policy"] },
    );
    const client: Hop = { name: clientName, securityGroupId: securityGroup.id };
    const rules = openPath(client, this.#hop, POSTGRES_PORT, { parent: this });
    return {
      host: this.endpoint,
      port: POSTGRES_PORT,
      user: databaseUser,
      databaseName: database.databaseName,
      ready: [this.#target, connect, ...rules],
    };
  }

  #letReadSecret(name: string, role: aws.iam.Role): aws.iam.RolePolicy {
    const { secretArn, keyArn } = this.#args.database.authentication;
    const policy = pulumi
      .all([secretArn, keyArn, this.#args.account])
      .apply(([secret, key, account]) => JSON.stringify(readSecret(secret, key, account)));
    // Replaced, never rewritten: with another database the old proxy keeps its secret until nobody uses it.
    return new aws.iam.RolePolicy(
      `${name}-read-secret`,
      { role: role.name, policy },
      { parent: this, replaceOnChanges: ["policy"] },
    );
  }

  #createProxy(
    name: string,
    role: aws.iam.Role,
    securityGroupId: pulumi.Input<string>,
    working: readonly pulumi.Resource[],
  ): aws.rds.Proxy {
    const { database, subnetIds, idleClientTimeoutSeconds, logRetentionDays } = this.#args;
    const proxyName = pulumi.all([subnetIds, database.resourceId]).apply(([ids, id]) => rdsName(name, [...ids, id]));
    const logs = new aws.cloudwatch.LogGroup(
      name,
      { name: pulumi.interpolate`/aws/rds/proxy/${proxyName}`, retentionInDays: logRetentionDays },
      { parent: this },
    );
    return new aws.rds.Proxy(
      name,
      {
        name: proxyName,
        engineFamily: "POSTGRESQL",
        auths: [{ authScheme: "SECRETS", iamAuth: "REQUIRED", secretArn: database.authentication.secretArn }],
        requireTls: true,
        idleClientTimeout: idleClientTimeoutSeconds,
        // AWS switches enhanced logging off by itself after a day, and it records SQL text.
        debugLogging: false,
        roleArn: role.arn,
        vpcSubnetIds: subnetIds,
        vpcSecurityGroupIds: [securityGroupId],
      },
      {
        parent: this,
        dependsOn: [...working, logs],
        customTimeouts: { delete: DELETE_TIMEOUT },
        ...this.#replacedWithDatabase(),
      },
    );
  }

  #createTargetGroup(name: string, proxy: aws.rds.Proxy): aws.rds.ProxyDefaultTargetGroup {
    const { maxConnectionsPercent, borrowTimeoutSeconds } = this.#args;
    return new aws.rds.ProxyDefaultTargetGroup(
      name,
      {
        dbProxyName: proxy.name,
        connectionPoolConfig: {
          maxConnectionsPercent,
          // AWS's default, declared so that a change of the share changes it too.
          maxIdleConnectionsPercent: Math.floor(maxConnectionsPercent / 2),
          connectionBorrowTimeout: borrowTimeoutSeconds,
        },
      },
      { parent: this },
    );
  }

  #createTarget(
    name: string,
    proxy: aws.rds.Proxy,
    targetGroup: aws.rds.ProxyDefaultTargetGroup,
    working: readonly pulumi.Resource[],
  ): aws.rds.ProxyTarget {
    return new aws.rds.ProxyTarget(
      name,
      {
        dbProxyName: proxy.name,
        targetGroupName: targetGroup.name,
        dbInstanceIdentifier: this.#args.database.instanceIdentifier,
      },
      { parent: this, dependsOn: [...working], ...this.#replacedWithDatabase() },
    );
  }

  /**
   * A proxy has one target, so a new database means a new proxy, and the old one keeps its target until nobody uses it:
   * never delete before the replacement stands.
   */
  #replacedWithDatabase(): Pick<pulumi.CustomResourceOptions, "replacementTrigger" | "deleteBeforeReplace"> {
    return { replacementTrigger: this.#args.database.resourceId, deleteBeforeReplace: false };
  }
}
