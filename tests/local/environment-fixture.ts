import { readFile } from "node:fs/promises";
import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import type { ContainerLine } from "../../local/container-log.ts";
import { type Environment, type LocalEnvironmentOptions, startEnvironment } from "../../local/environment.ts";
import { evaluate, type Program } from "../../local/program.ts";
import type { ConnectionRefused } from "../../local/proxy/session.ts";

const programs = new Map<string, Promise<Program>>();

/** The production stack with this configuration over it, evaluated once. */
export function evaluated(config: Readonly<Record<string, string>> = {}): Promise<Program> {
  const key = JSON.stringify(config);
  const known = programs.get(key) ?? evaluate("production", { config });
  programs.set(key, known);
  return known;
}

/** An environment, with what it told on the way. */
export interface Observed extends AsyncDisposable {
  readonly environment: Environment;
  readonly refusals: readonly ConnectionRefused[];
  readonly messages: readonly string[];
  readonly lines: readonly ContainerLine[];
}

/** How to start one, and lists that fill meanwhile and stay when it does not start. */
export interface ObserveOptions extends Pick<LocalEnvironmentOptions, "foundation"> {
  /** False by default. */
  readonly withService?: boolean;
  readonly messages?: string[];
  readonly lines?: ContainerLine[];
}

/** Starts an environment, to be declared with `await using`, or stopped. */
export async function observe(program: Program, options: ObserveOptions = {}): Promise<Observed> {
  const { foundation, withService = false, messages = [], lines = [] } = options;
  const refusals: ConnectionRefused[] = [];
  const environment = await startEnvironment(program, {
    ...(foundation && { foundation }),
    withService,
    log: (message) => messages.push(message),
    onLine: (line) => lines.push(line),
    onProxy: ({ events }) => events.on("connectionRefused", (refusal) => refusals.push(refusal)),
  });
  return { environment, refusals, messages, lines, [Symbol.asyncDispose]: () => environment.stop() };
}

/**
 * A client that does as the service does: credentials from the endpoint, a token by the AWS SDK, TLS verified by the declared name.
 *
 * @param user that it names, by default the declared one
 * @param patienceMs after which it gives the connection up
 */
export async function clientOf(
  { declared, proxy, credentials, caFile }: Environment,
  user?: string,
  patienceMs = 10_000,
): Promise<pg.Client> {
  const username = user ?? declared.database.user;
  const { endpoint, port } = declared.proxy;
  const signer = new Signer({
    region: declared.region,
    hostname: endpoint,
    port,
    username,
    credentials: await fetchCredentials(credentials),
  });
  return new pg.Client({
    host: "127.0.0.1",
    port: proxy.port,
    user: username,
    database: declared.database.name,
    password: await signer.getAuthToken(),
    ssl: { ca: await readFile(caFile, "utf8"), servername: endpoint },
    connectionTimeoutMillis: patienceMs,
  });
}

async function fetchCredentials({ fullUri, authorizationToken }: Environment["credentials"]) {
  const response = await fetch(fullUri, {
    headers: { authorization: authorizationToken },
    signal: AbortSignal.timeout(5_000),
  });
  const answer = (await response.json()) as Record<"AccessKeyId" | "SecretAccessKey" | "Token", string>;
  return { accessKeyId: answer.AccessKeyId, secretAccessKey: answer.SecretAccessKey, sessionToken: answer.Token };
}

/**
 * Begins the work for each case, a few at a time, in order. Each test awaits its own; one that no test awaits harms nobody.
 */
export function begin<C, R>(atOnce: number, cases: readonly C[], work: (one: C) => Promise<R>): Map<C, Promise<R>> {
  const begun = new Map<C, Promise<R>>();
  const lanes: Promise<unknown>[] = Array.from({ length: atOnce }, () => Promise.resolve());
  cases.forEach((one, index) => {
    const result = (lanes[index % atOnce] as Promise<unknown>).then(() => work(one));
    result.catch(() => {});
    lanes[index % atOnce] = result.catch(() => {});
    begun.set(one, result);
  });
  return begun;
}
