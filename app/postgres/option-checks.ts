import { isIP } from "node:net";
import { PoolError } from "./errors.ts";
import { limitsOf, type RdsIamPoolOptions } from "./options.ts";

/** What node-postgres would obey, and why this pool does not. */
const REFUSED: Readonly<Record<string, string>> = {
  password: "the pool authenticates with IAM tokens only",
  connectionString: "give host, port, user and database as fields of their own",
  ssl: "TLS is always on and verified; a private certificate authority goes into 'ca'",
  sslmode: "TLS is always on and verified",
  sslnegotiation: "RDS Proxy speaks TLS after PostgreSQL's own request for it",
  options: "RDS Proxy does not accept it; use ALTER ROLE … SET in a migration",
  statement_timeout: "RDS Proxy does not accept it; use ALTER ROLE … SET statement_timeout in a migration",
  lock_timeout: "RDS Proxy does not accept it; use ALTER ROLE … SET lock_timeout in a migration",
  idle_in_transaction_session_timeout:
    "RDS Proxy does not accept it; use ALTER ROLE … SET idle_in_transaction_session_timeout in a migration",
  min: "connections below it would never end by idleness, and the proxy would end them unasked",
  pipeline: "a statement that failed could not be told from those behind it",
  keepAlive: "TCP keep-alive is always on",
  stream: "the pool opens its own sockets",
  Client: "the pool needs its own, which mints a token before the socket opens",
  Promise: "node-postgres deprecates it",
};

/** Numbers from least to most, both allowed; whole ones unless said. */
export const RANGES: Readonly<
  Record<string, { readonly from: number; readonly to: number; readonly fractions?: true }>
> = {
  port: { from: 1, to: 65_535 },
  max: { from: 1, to: 10_000 },
  maxEstablishing: { from: 1, to: 200 },
  maxUses: { from: 1, to: Number.MAX_SAFE_INTEGER },
  // Above: "RDS Proxy ends a client connection after 24 hours" ("RDS Proxy concepts and terminology", Amazon RDS User Guide).
  maxLifetimeSeconds: { from: 0.001, to: 86_400, fractions: true },
  // Above: the longest idle client time-out of a proxy, eight hours.
  idleTimeoutMillis: { from: 1, to: 28_800_000 },
  idleCheckMillis: { from: 0, to: 28_800_000 },
  connectionTimeoutMillis: { from: 1, to: 3_600_000 },
  connectRetryMillis: { from: 0, to: 3_600_000 },
  mintTimeoutMillis: { from: 1, to: 600_000 },
  reachTimeoutMillis: { from: 1, to: 600_000 },
  attemptTimeoutMillis: { from: 1, to: 3_600_000 },
  silenceTimeoutMillis: { from: 1, to: 86_400_000 },
  query_timeout: { from: 1, to: 86_400_000 },
  endTimeoutMillis: { from: 1, to: 600_000 },
};

const TEXTS = ["host", "user", "database", "region"] as const;
const OPTIONAL_TEXTS = ["application_name", "name"] as const;
const FUNCTIONS = ["onConnect", "verify", "random"] as const;
const OBJECTS: Readonly<Record<string, readonly string[]>> = {
  signer: ["getAuthToken"],
  log: ["info", "warn", "error"],
  clock: ["now", "sleep"],
  types: ["getTypeParser"],
};
const KNOWN: ReadonlySet<string> = new Set([
  ...TEXTS,
  ...OPTIONAL_TEXTS,
  ...FUNCTIONS,
  ...Object.keys(OBJECTS),
  ...Object.keys(RANGES),
  "allowExitOnIdle",
  "ca",
]);

/**
 * @throws PoolError `POOL_CONFIGURATION` that names every mistake; no value of a refused option is printed
 */
export function checkOptions(options: RdsIamPoolOptions): void {
  if (typeof options !== "object" || options === null) {
    const what = typeof options === "string" ? "a connection string" : String(options);
    throw new PoolError(
      "POOL_CONFIGURATION",
      `The pool was not created: it takes an object of options, and not ${what}`,
    );
  }
  const mistakes = [...findMistakes({ ...options }), ...findContradictions(options)];
  if (mistakes.length === 0) return;
  throw new PoolError("POOL_CONFIGURATION", `The pool was not created: ${mistakes.join("; ")}`);
}

function* findMistakes(options: Readonly<Record<string, unknown>>): Generator<string> {
  const unknown: string[] = [];
  for (const name of Object.keys(options)) {
    const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
    if (why) yield `'${name}' is refused: ${why}`;
    else if (!KNOWN.has(name)) unknown.push(`'${name}'`);
  }
  for (const name of TEXTS) {
    if (options[name] === undefined || options[name] === "") yield `'${name}' is missing`;
    else if (typeof options[name] !== "string") yield `'${name}' is not a text`;
  }
  if (unknown.length > 0) {
    yield `${unknown.join(", ")} ${unknown.length > 1 ? "are" : "is"} unknown; there are ${[...KNOWN].sort().join(", ")}`;
  }
  // Without its value: it may be a URL with a password in it.
  if (typeof options.host === "string" && /[/@:\s]/.test(options.host) && isIP(options.host) === 0)
    yield "'host' is no name of a host: give it alone";
  for (const [name, { from, to, fractions }] of Object.entries(RANGES)) {
    const value = options[name];
    if (value === undefined) continue;
    const fits = typeof value === "number" && value >= from && value <= to && (fractions || Number.isInteger(value));
    if (!fits)
      yield `'${name}' is ${shown(value)}: ${fractions ? "a" : "a whole"} number from ${from} to ${to} is needed`;
  }
  for (const [name, fits, needed] of shapes(options)) {
    if (options[name] !== undefined && !fits) yield `'${name}' is not ${needed}`;
  }
}

function* shapes(options: Readonly<Record<string, unknown>>): Generator<readonly [string, boolean, string]> {
  const isPem = typeof options.ca === "string" && options.ca.includes("-----BEGIN CERTIFICATE-----");
  yield ["ca", isPem, "a certificate in PEM: give the content of the file, not its path"];
  for (const name of OPTIONAL_TEXTS) yield [name, typeof options[name] === "string" && options[name] !== "", "a text"];
  for (const name of FUNCTIONS) yield [name, typeof options[name] === "function", "a function"];
  for (const [name, methods] of Object.entries(OBJECTS)) {
    const value = options[name] as Readonly<Record<string, unknown>> | undefined;
    const fits = methods.every((method) => typeof value?.[method] === "function");
    yield [name, fits, `an object with ${methods.join(", ")}`];
  }
  yield ["allowExitOnIdle", typeof options.allowExitOnIdle === "boolean", "true or false"];
}

/** `10` of the text "10". */
const shown = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value));

/** Options that are right each for itself, and undo one another. */
function* findContradictions(options: RdsIamPoolOptions): Generator<string> {
  const limits = limitsOf(options);
  const pairs = [
    ["connectRetryMillis", "connectionTimeoutMillis", "the overall limit would end the retries first"],
    ["reachTimeoutMillis", "attemptTimeoutMillis", "the limit of the whole attempt would pass first"],
    ["mintTimeoutMillis", "connectionTimeoutMillis", "the overall limit would pass first"],
    ["attemptTimeoutMillis", "connectionTimeoutMillis", "the overall limit would pass first"],
    ["maxEstablishing", "max", "there are never as many connections"],
    ["idleCheckMillis", "idleTimeoutMillis", "the connection would be closed before it could be checked"],
  ] as const;
  for (const [less, more, why] of pairs) {
    // A default gives way: only what was asked for can contradict.
    const asked = options[less] !== undefined && (options[more] !== undefined || limits[less] > limits[more]);
    if (asked && limits[less] > limits[more]) {
      yield `'${less}' (${limits[less]}) is above '${more}' (${limits[more]}): ${why}`;
    }
  }
}
