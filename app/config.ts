import { z } from "zod";

/** The service's configuration: read once from the environment. Times are in seconds, as the environment gives them. */
export interface ServiceConfiguration {
  readonly port: number;
  /** Address to listen on: every interface in production, the loopback in development. */
  readonly listenHost: string;
  readonly logLevel: string;
  /** Longest work on one request. */
  readonly requestDeadlineSeconds: number;
  /** Keep-alive time-out of the HTTP server. */
  readonly keepAliveSeconds: number;
  /** From SIGTERM to the exit. */
  readonly drainSeconds: number;
  readonly migrationDeadlineSeconds: number;
  readonly database: IamDatabase | PasswordDatabase;
}

interface Database {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly poolSize: number;
  /** Limit for obtaining a connection, queueing included. */
  readonly acquireSeconds: number;
}

/** `ENV=production`: RDS Proxy with IAM authentication. */
export interface IamDatabase extends Database {
  readonly authentication: "iam";
  readonly region: string;
  /** Budget for retrying the establishment of a connection. */
  readonly connectRetrySeconds: number;
  /** Longest life of a physical connection. */
  readonly lifetimeSeconds: number;
}

/** `ENV=development`: a developer's own PostgreSQL. */
export interface PasswordDatabase extends Database {
  readonly authentication: "password";
  readonly password: string;
}

/** Every mistake of the environment at once. */
export class ConfigurationError extends Error {
  readonly code = "CONFIGURATION";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`The environment is not usable:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
    this.name = "ConfigurationError";
    this.mistakes = mistakes;
  }
}

const SECRETS: ReadonlySet<string> = new Set(["POSTGRES_PASSWORD", "PGPASSWORD"]);

/** Text of a form; `allowed` completes "it must be …". */
function text(allowed: string, form: RegExp) {
  return z.string({ error: allowed }).regex(form, { error: allowed });
}

function integer(least: number, most: number, what = "seconds") {
  const allowed = `an integer from ${least} to ${most} (${what})`;
  return text(allowed, /^\d{1,10}$/)
    .transform(Number)
    .pipe(z.number().min(least, { error: allowed }).max(most, { error: allowed }));
}

const DAY = 86_400;
const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const shared = {
  DB_HOST: text("a host name or address, without scheme, user or port", /^[A-Za-z0-9._-]+$|^[0-9A-Fa-f:.]+$/),
  DB_PORT: integer(1, 65_535, "a TCP port").default(5432),
  POSTGRES_DB: text("the name of a database, 1 to 63 characters", /^[^\0]{1,63}$/),
  POSTGRES_USER: text("the name of a database user, 1 to 63 characters", /^[^\0]{1,63}$/),
  PORT: integer(0, 65_535, "a TCP port; 0 takes any free one").default(8080),
  LOG_LEVEL: z.enum(LEVELS, { error: `one of ${LEVELS.join(", ")}` }).default("info"),
};

const absent = z
  .undefined({ error: "absent in production: the service authenticates with IAM tokens only" })
  .optional();

const production = z.object({
  ...shared,
  ENV: z.literal("production"),
  AWS_REGION: text("an AWS region, such as eu-west-2", /^[a-z]{2}(-[a-z]+)+-\d$/),
  POSTGRES_PASSWORD: absent,
  PGPASSWORD: absent,
  REQUEST_DEADLINE_SECONDS: integer(1, DAY),
  KEEP_ALIVE_SECONDS: integer(1, DAY),
  DRAIN_SECONDS: integer(1, DAY),
  MIGRATION_DEADLINE_SECONDS: integer(1, DAY),
  DB_POOL_SIZE: integer(1, 10_000, "connections"),
  DB_CONNECT_RETRY_SECONDS: integer(1, DAY),
  DB_ACQUIRE_SECONDS: integer(1, DAY),
  // 24 h is the longest that RDS Proxy keeps a client connection ("Quotas and limitations for RDS Proxy").
  DB_CONNECTION_LIFETIME_SECONDS: integer(1, DAY),
});

/** A developer waits for nothing long: the limits only keep a mistake from hanging. */
const development = z.object({
  ...shared,
  ENV: z.literal("development"),
  POSTGRES_PASSWORD: text("the password of POSTGRES_USER", /^[^\0]+$/),
  REQUEST_DEADLINE_SECONDS: integer(1, DAY).default(30),
  KEEP_ALIVE_SECONDS: integer(1, DAY).default(60),
  DRAIN_SECONDS: integer(1, DAY).default(10),
  MIGRATION_DEADLINE_SECONDS: integer(1, DAY).default(60),
  DB_POOL_SIZE: integer(1, 10_000, "connections").default(10),
  DB_ACQUIRE_SECONDS: integer(1, DAY).default(10),
});

/** Without a usable ENV nobody knows what else is required, but what is there can be judged. */
const undecided = production
  .omit({ POSTGRES_PASSWORD: true, PGPASSWORD: true })
  .partial()
  .extend({ ...shared, ENV: z.never({ error: "production or development" }) });

/** Reads the environment; throws one `ConfigurationError` with every mistake. `ENV` alone chooses the way of authentication. */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): ServiceConfiguration {
  if (environment.ENV === "development") {
    const read = parse(development, environment);
    const password = read.POSTGRES_PASSWORD;
    return {
      ...settings(read),
      listenHost: "127.0.0.1",
      database: { authentication: "password", ...database(read), password },
    };
  }
  if (environment.ENV !== "production") parse(undecided, environment);
  const read = parse(production, environment);
  return {
    ...settings(read),
    listenHost: "0.0.0.0",
    database: {
      authentication: "iam",
      ...database(read),
      region: read.AWS_REGION,
      connectRetrySeconds: read.DB_CONNECT_RETRY_SECONDS,
      lifetimeSeconds: read.DB_CONNECTION_LIFETIME_SECONDS,
    },
  };
}

type Read = z.output<typeof production> | z.output<typeof development>;

function settings(read: Read) {
  return {
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
    requestDeadlineSeconds: read.REQUEST_DEADLINE_SECONDS,
    keepAliveSeconds: read.KEEP_ALIVE_SECONDS,
    drainSeconds: read.DRAIN_SECONDS,
    migrationDeadlineSeconds: read.MIGRATION_DEADLINE_SECONDS,
  };
}

function database(read: Read): Database {
  return {
    host: read.DB_HOST,
    port: read.DB_PORT,
    name: read.POSTGRES_DB,
    user: read.POSTGRES_USER,
    poolSize: read.DB_POOL_SIZE,
    acquireSeconds: read.DB_ACQUIRE_SECONDS,
  };
}

function parse<T>(schema: z.ZodType<T>, environment: Readonly<Record<string, string | undefined>>): T {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  const allowed = new Map(result.error.issues.map((issue) => [String(issue.path[0]), issue.message]));
  throw new ConfigurationError([...allowed].map(([name, rule]) => mistake(name, environment[name], rule)));
}

function mistake(name: string, value: string | undefined, allowed: string): string {
  if (value === undefined) return `${name} is missing: it must be ${allowed}`;
  if (SECRETS.has(name)) return `${name} ${value === "" ? "is empty" : "is set"}: it must be ${allowed}`;
  return `${name} is ${JSON.stringify(value)}: it must be ${allowed}`;
}
