import type { Faults } from "./faults.ts";

/** State of a master secret that RDS manages: `MasterUserSecret.SecretStatus` of the Amazon RDS API Reference. */
export type SecretState = "creating" | "active" | "rotating" | "impaired";

/** Staging label of a version: "What's in a Secrets Manager secret?", AWS Secrets Manager User Guide. */
export type VersionStage = "AWSPENDING" | "AWSCURRENT" | "AWSPREVIOUS";

/** How a rotation is to go. */
export interface RotateOptions {
  /**
   * Time between the new password in the database and the new version as `AWSCURRENT`, in milliseconds, 0 to 60,000.
   * 2,000 by default: AWS speaks of a few seconds.
   */
  readonly windowMs?: number;
}

/** A finished rotation. All times are milliseconds since 1970, as `Date.now` gives them. */
export interface Rotation {
  readonly versionId: string;
  readonly windowMs: number;
  /** Just before the database was given the new password: from here a log-in with the secret can fail. */
  readonly startedAt: number;
  /** When the new version became `AWSCURRENT`: from here a log-in with the secret succeeds. */
  readonly promotedAt: number;
}

/** The secret as one would describe it, without what it holds. */
export interface SecretStatus {
  readonly arn: string;
  readonly username: string;
  readonly state: SecretState;
  readonly versions: readonly { readonly versionId: string; readonly stages: readonly VersionStage[] }[];
  /** When the window that is open now began; undefined between rotations. */
  readonly windowOpenedAt: number | undefined;
  /** Finished rotations, oldest first. */
  readonly rotations: readonly Rotation[];
}

/**
 * What an operator does to, and asks of, the running environment. Whatever speaks to it, be it HTTP or an API compatible
 * with AWS, stands before this interface and reaches nothing behind it.
 */
export interface ControlPlane {
  /**
   * Rotates the master secret and resolves when the new version is `AWSCURRENT`.
   *
   * @throws SecretError `INVALID_WINDOW`, `ROTATION_IN_PROGRESS`, `ROTATION_FAILED`, `ROTATION_ABORTED`, `NOT_ACTIVE`, `CLOSED`
   */
  rotate(options?: RotateOptions): Promise<Rotation>;
  secretStatus(): SecretStatus;
  /** Values by the name of the CloudWatch metric, namespace `AWS/RDS`, dimension `ProxyName`. */
  metrics(): Readonly<Record<string, number>>;
  readonly faults: Faults;
}
