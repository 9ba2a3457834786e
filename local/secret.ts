import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { ControlPlane, RotateOptions, Rotation, SecretState, VersionStage } from "./control-plane.ts";
import type { DatabaseLogin } from "./proxy/authority.ts";

/** Why a secret cannot be rotated or read now. */
export type SecretErrorCode =
  | "INVALID_WINDOW"
  | "ROTATION_IN_PROGRESS"
  | "ROTATION_FAILED"
  | "ROTATION_ABORTED"
  | "NOT_ACTIVE"
  | "CLOSED";

/** Says what of the secret failed; never with a password in it. */
export class SecretError extends Error {
  override readonly name = "SecretError";
  readonly code: SecretErrorCode;

  constructor(code: SecretErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One version, as `GetSecretValue` answers it. */
export interface SecretVersion {
  readonly versionId: string;
  /** JSON with `username` and `password`. */
  readonly secretString: string;
  readonly stages: readonly VersionStage[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What makes a secret. */
export interface ManagedSecretOptions {
  readonly arn: string;
  /** The declared master user. */
  readonly username: string;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number;
  /** Waits, and rejects when the signal aborts; a timer by default. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Gives a database user a password. */
export type SetPassword = (user: string, password: string) => Promise<void>;

/** The RDS-managed master secret: its versions, and their rotation in the order that RDS keeps. */
export interface ManagedSecret extends Pick<ControlPlane, "rotate" | "secretStatus"> {
  readonly arn: string;
  /** What a reader of `AWSCURRENT` gets: what the instance is made with, and what the proxy logs in with. */
  currentLogin(): DatabaseLogin;
  /** The version under a stage: undefined when none has it. */
  version(stage: VersionStage): SecretVersion | undefined;
  /** Ends the state `creating`: the database now answers to {@link currentLogin}, and to `setPassword`. */
  activate(setPassword: SetPassword): void;
  /**
   * Gives rotations that name no window this one, until the function that comes back is called.
   *
   * @param windowMs 0 to 60,000
   */
  widenWindow(windowMs: number): () => void;
  /** Ends a window that is open without promoting its version, and waits for that. No rotation starts afterwards. */
  close(): Promise<void>;
}

const defaultWindowMs = 2_000;
/** Longest window that a rotation may be given, in milliseconds: that of a rotation which takes as long as AWS lets expect. */
export const longestWindowMs = 60_000;

/**
 * Printable ASCII but `/`, `'`, `"`, `@` and space: the constraint on `MasterUserPassword`, CreateDBInstance, Amazon RDS API
 * Reference. Much of it means something to a URL, a shell or SQL, so whoever pastes a password into one notices.
 */
const passwordAlphabet = [...Array(0x7f - 0x21).keys()]
  .map((offset) => String.fromCharCode(0x21 + offset))
  .filter((character) => !"/'\"@".includes(character));

/** `PasswordLength` by default of GetRandomPassword, AWS Secrets Manager API Reference. */
const passwordLength = 32;

/** A password as RDS makes them: 32 characters of the 90 that it allows. */
export function randomPassword(): string {
  return Array.from({ length: passwordLength }, () => passwordAlphabet[randomInt(passwordAlphabet.length)]).join("");
}

/** Makes the secret in state `creating`, its first version already `AWSCURRENT`, so that the instance can be made with it. */
export function createManagedSecret(options: ManagedSecretOptions): ManagedSecret {
  const { arn, username, now = Date.now, delay = (ms, signal) => wait(ms, undefined, { signal }) } = options;
  const byStage = new Map<VersionStage, Omit<SecretVersion, "stages">>();
  const rotations: Rotation[] = [];
  const closing = new AbortController();
  let state: SecretState = "creating";
  let setPassword: SetPassword | undefined;
  let windowOpenedAt: number | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let usualWindowMs = defaultWindowMs;

  const newVersion = (): Omit<SecretVersion, "stages"> & { readonly password: string } => {
    const password = randomPassword();
    return {
      versionId: randomUUID(),
      password,
      secretString: JSON.stringify({ username, password }),
      createdAt: now(),
    };
  };
  const first = newVersion();
  let current: DatabaseLogin = { username, password: first.password, versionId: first.versionId };
  byStage.set("AWSCURRENT", first);

  const promote = (version: ReturnType<typeof newVersion>): void => {
    const previous = byStage.get("AWSCURRENT");
    if (previous !== undefined) byStage.set("AWSPREVIOUS", previous);
    byStage.set("AWSCURRENT", version);
    byStage.delete("AWSPENDING");
    current = { username, password: version.password, versionId: version.versionId };
  };

  const rotateNow = async (windowMs: number, change: SetPassword): Promise<Rotation> => {
    // A pending version that a failed rotation left behind gives way: whatever the database holds, this one replaces it.
    const version = newVersion();
    byStage.set("AWSPENDING", version);
    const startedAt = now();
    windowOpenedAt = startedAt;
    try {
      await change(username, version.password);
      await delay(windowMs, closing.signal);
      closing.signal.throwIfAborted();
      promote(version);
      const rotation: Rotation = { versionId: version.versionId, windowMs, startedAt, promotedAt: now() };
      rotations.push(rotation);
      state = "active";
      return rotation;
    } catch (cause) {
      state = "impaired";
      if (closing.signal.aborted) {
        throw new SecretError(
          "ROTATION_ABORTED",
          `The rotation of ${arn} was cut short, since the environment stops.`,
          { cause },
        );
      }
      throw new SecretError(
        "ROTATION_FAILED",
        `The rotation of ${arn} failed before its version became AWSCURRENT; the database may already hold the new password. Rotate again to repair it.`,
        { cause },
      );
    } finally {
      windowOpenedAt = undefined;
    }
  };

  return {
    arn,
    currentLogin: () => current,
    version(stage) {
      const version = byStage.get(stage);
      if (version === undefined) return undefined;
      const { versionId, secretString, createdAt } = version;
      return { versionId, secretString, createdAt, stages: [stage] };
    },
    activate(change) {
      setPassword = change;
      if (state === "creating") state = "active";
    },
    async rotate({ windowMs = usualWindowMs }: RotateOptions = {}) {
      if (!Number.isFinite(windowMs) || windowMs < 0 || windowMs > longestWindowMs) {
        throw new SecretError(
          "INVALID_WINDOW",
          `windowMs is ${windowMs}: a number of milliseconds from 0 to ${longestWindowMs} is needed.`,
        );
      }
      if (closing.signal.aborted) throw new SecretError("CLOSED", `${arn} rotates no more: the environment stops.`);
      if (setPassword === undefined) {
        throw new SecretError("NOT_ACTIVE", `${arn} is still creating: it can be rotated once the database runs.`);
      }
      if (state === "rotating") {
        throw new SecretError("ROTATION_IN_PROGRESS", `${arn} is already rotating: wait until it is active again.`);
      }
      state = "rotating";
      const rotation = rotateNow(windowMs, setPassword);
      running = rotation.catch(() => {});
      return rotation;
    },
    secretStatus: () => ({
      arn,
      username,
      state,
      versions: [...byStage].map(([stage, { versionId }]) => ({ versionId, stages: [stage] })),
      windowOpenedAt,
      rotations: [...rotations],
    }),
    widenWindow(windowMs) {
      usualWindowMs = windowMs;
      return () => {
        usualWindowMs = defaultWindowMs;
      };
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
