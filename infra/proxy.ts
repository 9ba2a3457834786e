import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { lookUpAccount } from "./account.ts";
import { POSTGRES_PORT } from "./database.ts";
import { type Account, connectThroughProxy, readSecret, trustRds } from "./iam.ts";
import { logGroup } from "./log-groups.ts";
import { rdsName } from "./names.ts";
import {
  type ClientRole,
  type ClientSecurityGroup,
  type ConnectGrant,
  type DatabaseProxyArgs,
  type ProxiedDatabase,
  type ProxySettings,
  proxySettings,
  proxySubnets,
} from "./proxy/arguments.ts";
import { role } from "./roles.ts";
import { type Hop, openPath, securityGroup } from "./security-groups.ts";

export type { ConnectGrant, DatabaseProxyArgs, ProxiedDatabase };

/** AWS needs up to an hour to delete a proxy whose network interfaces are still in use. */
const DELETE_TIMEOUT = "60m";

/**
 * An RDS Proxy that admits clients by IAM token over TLS only, and logs in to the database with the rotating master secret, which
 * it alone may read.
 */
export class DatabaseProxy extends pulumi.ComponentResource {
  readonly endpoint: pulumi.Output<string>;
  readonly proxyName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly targetGroupName: pulumi.Output<string>;
  readonly #database: ProxiedDatabase;
  readonly #settings: ProxySettings;
  readonly #retainLogs: boolean;
  readonly #account: pulumi.Output<Account>;
  readonly #name: string;
  readonly #hop: Hop;
  readonly #target: aws.rds.ProxyTarget;

  constructor(name: string, args: DatabaseProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:DatabaseProxy", name, {}, opts);
    this.#settings = proxySettings(args);
    this.#retainLogs = args.retainLogs ?? false;
    this.#database = args.database;
    this.#account = pulumi.output(args.account ?? lookUpAccount({ parent: this }));
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
    const subnetIds = pulumi.output(args.subnetIds).apply(proxySubnets);
    const proxy = this.#createProxy(name, ownRole, subnetIds, group.id, working);
    const targetGroup = this.#createTargetGroup(name, proxy);
    this.#target = this.#createTarget(name, proxy, targetGroup, working);
    this.endpoint = proxy.endpoint;
    this.proxyName = proxy.name;
    this.arn = proxy.arn;
    this.targetGroupName = targetGroup.name;
    this.registerOutputs({ endpoint: this.endpoint, proxyName: this.proxyName, arn: this.arn });
  }

  /**
   * Lets a client connect as a database user, and opens both doors at once: IAM to its role, and the network from its security
   * group. Role and security group may be the program's own, or existing ones by name and id.
   *
   * @param taskRole role of the running container; never the execution role
   * @param databaseUser must be the user of the proxy's secret, spelled as the database has it: the proxy can log in no other
   * @param securityGroup of the client's network interface, in the proxy's VPC
   * @param clientName word for the client in names and descriptions of rules; another one for each client of the proxy
   * @throws pulumi.RunError when the proxy has no credentials for `databaseUser`
   */
  grantConnect(
    taskRole: ClientRole,
    databaseUser: string,
    securityGroup: ClientSecurityGroup,
    clientName = "service",
  ): ConnectGrant {
    const { authentication, databaseName } = this.#database;
    if (databaseUser !== authentication.user) {
      throw new pulumi.RunError(
        `grantConnect: the proxy has no credentials for the database user "${databaseUser}"; allowed: ` +
          `"${authentication.user}", the user of its secret`,
      );
    }
    const policy = pulumi
      .all([this.arn, this.#account])
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
      databaseName,
      ready: [this.#target, connect, ...rules],
    };
  }

  #letReadSecret(name: string, role: aws.iam.Role): aws.iam.RolePolicy {
    const { secretArn, keyArn } = this.#database.authentication;
    const policy = pulumi
      .all([secretArn, keyArn, this.#account])
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
    subnetIds: pulumi.Output<string[]>,
    securityGroupId: pulumi.Input<string>,
    working: readonly pulumi.Resource[],
  ): aws.rds.Proxy {
    const { idleClientTimeoutSeconds, logRetentionDays } = this.#settings;
    const { authentication, resourceId } = this.#database;
    const proxyName = pulumi.all([subnetIds, resourceId]).apply(([ids, id]) => rdsName(name, [...ids, id]));
    const logName = pulumi.interpolate`/aws/rds/proxy/${proxyName}`;
    const logs = logGroup(name, { name: logName, logRetentionDays, retainLogs: this.#retainLogs }, { parent: this });
    return new aws.rds.Proxy(
      name,
      {
        name: proxyName,
        engineFamily: "POSTGRESQL",
        auths: [{ authScheme: "SECRETS", iamAuth: "REQUIRED", secretArn: authentication.secretArn }],
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
    const { maxConnectionsPercent, borrowTimeoutSeconds } = this.#settings;
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
        dbInstanceIdentifier: this.#database.instanceIdentifier,
      },
      { parent: this, dependsOn: [...working], ...this.#replacedWithDatabase() },
    );
  }

  /**
   * A proxy has one target, so a new database means a new proxy, and the old one keeps its target until nobody uses it:
   * never delete before the replacement stands.
   */
  #replacedWithDatabase(): Pick<pulumi.CustomResourceOptions, "replacementTrigger" | "deleteBeforeReplace"> {
    return { replacementTrigger: this.#database.resourceId, deleteBeforeReplace: false };
  }
}
