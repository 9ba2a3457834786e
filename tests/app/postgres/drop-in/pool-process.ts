import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach } from "mocha";
import type { RdsIamPoolOptions } from "../../../../app/postgres/index.ts";
import type { TestDatabase } from "../../test-database.ts";
import type { TokenFront } from "../../token-front.ts";
import { CREDENTIALS, IDENTITY } from "../pool-fixture.ts";
import type { Kind, SharedOptions } from "./both-pools.ts";

const MAIN = fileURLToPath(new URL("./pool-process-main.ts", import.meta.url));

/**
 * - `ended`: has connections lent, and callers that wait through retries, ends the pool, says `ended`, and has nothing more to do.
 * - `idle`: runs a statement, says `idle`, and has nothing more to do.
 * - `killed`: lends a client, says its process in the database, waits for its end, and says `alive` by the next one.
 * - `snapshot`: writes a heap snapshot to the file while a client is lent, and says its environment.
 */
export type Scenario = "ended" | "idle" | "killed" | { readonly snapshot: string };

/** What a process of its own is told. */
export interface PoolProcessSettings {
  readonly kind: Kind;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly region: string;
  readonly ca: string;
  readonly credentials: typeof CREDENTIALS;
  readonly options: PoolProcessOptions["options"];
  readonly scenario: Scenario;
}

export interface PoolProcess {
  /** The next line on standard output; undefined when there is none any more. */
  line(): Promise<string | undefined>;
  /** Exit status, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  readonly running: boolean;
  stderr(): string;
}

export interface PoolProcessOptions {
  readonly options?: SharedOptions & Pick<RdsIamPoolOptions, "endTimeoutMillis">;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** Starts processes with one pool each, both kinds over TLS and with tokens; ends them after each test. */
export function poolProcesses(): (
  kind: Kind,
  scenario: Scenario,
  to: { readonly database: TestDatabase; readonly front: TokenFront },
  more?: PoolProcessOptions,
) => PoolProcess {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
  });
  return (kind, scenario, { database, front }, { options = {}, node = [] } = {}) => {
    const { port, caPem: ca } = front;
    const target = { ...IDENTITY, port, database: database.name, ca, credentials: CREDENTIALS };
    const settings: PoolProcessSettings = { ...target, kind, options, scenario };
    const child = spawn(process.execPath, [...node, MAIN, JSON.stringify(settings)], {
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(child);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return {
      line: async () => (await lines.next()).value,
      exited: once(child, "close").then(([code, signal]) => code ?? signal),
      get running() {
        return child.exitCode === null && child.signalCode === null;
      },
      stderr: () => stderr,
    };
  };
}
