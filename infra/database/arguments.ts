import type * as pulumi from "@pulumi/pulumi";
import type { Account } from "../iam.ts";

/** How the proxy logs in to the database: with the user name and password that RDS keeps and rotates in one secret. */
export interface SecretAuthentication {
  /** Tells the ways apart. */
  readonly mode: "secret";
  /** ARN of the secret. */
  readonly secretArn: pulumi.Output<string>;
  /** ARN of the KMS key that encrypts it. */
  readonly keyArn: pulumi.Output<string>;
  /** The secret's user: the only one whom the proxy can log in, and so the only one whom clients can name. */
  readonly user: string;
}

/** How the proxy authenticates to the database. Today one mode; end-to-end IAM would be another member. */
export type DatabaseAuthentication = SecretAuthentication;

/** The instance: its names, size and protection. What RDS refuses fails the deployment, not the preview. */
export interface InstanceSettings {
  /** Database that is made with the instance: a letter, then letters, digits and _, at most 63. A change replaces the instance. */
  readonly name: string;
  /** Master user, whose password nobody is told. Not `postgres`, `admin`, `rds…`. A change replaces the instance. */
  readonly user: string;
  /** Such as `db.m7g.large`. A change takes effect in the maintenance window, with an interruption as in a failover. */
  readonly instanceClass: string;
  /** Allocated storage in GiB, 20 to 65,536; it grows by itself to four times that. More takes effect in place, less is refused. */
  readonly storageGiB: number;
  /** `max_connections` of the database, which capacity is calculated from. A change waits for a restart. */
  readonly maxConnections: number;
  /** Whether a standby in another zone takes over. A change takes effect in place. */
  readonly multiAz: boolean;
  /** Whether AWS and Pulumi refuse to delete the instance and its keys, and its storage key and backups outlive it. */
  readonly deletionProtection: boolean;
  /** Days that automated backups are kept, 1 to 35. A change takes effect in place. */
  readonly backupRetentionDays: number;
}

export interface DatabaseArgs {
  /** Names, size and protection of the instance. */
  readonly database: InstanceSettings;
  /** VPC of the instance. A stack that stands cannot move: AWS refuses to take a database to another VPC. */
  readonly vpcId: pulumi.Input<string>;
  /** Subnets without a way out, in two zones or more. Others can be added in place; those in use stay. */
  readonly subnetIds: pulumi.Input<string[]>;
  /** Days that the exported logs are kept, a value that CloudWatch Logs knows. Default 365. A change takes effect in place. */
  readonly logRetentionDays?: number;
  /** Whether they stay when another instance, with other logs, takes this one's place. Default false. */
  readonly retainLogs?: boolean;
  /** ARN of the managed policy that bounds the role of enhanced monitoring. Default none. A change takes effect in place. */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /** Where the instance is made. Default: looked up with the component's own provider. */
  readonly account?: pulumi.Input<Account>;
}
