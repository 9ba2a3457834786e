import assert from "node:assert/strict";
import type pg from "pg";
import { Teardown } from "../../../local/environment/teardown.ts";
import type { Environment } from "../../../local/environment.ts";
import type { Faults } from "../../../local/faults.ts";
import { clientOf, evaluated, type Observed, observe } from "../environment-fixture.ts";
import { eventually } from "../eventually.ts";

/** A whole environment without the service, and clients that do as the service does. */
export interface FaultStage {
  readonly environment: Environment;
  readonly faults: Faults;
  readonly refusals: Observed["refusals"];
  readonly messages: Observed["messages"];
  /** A client that is connected. Its errors are kept, and it is ended by `calm`. */
  connect(): Promise<Standing>;
  /** Connects once, asks for a number and says what came of it: "served", or the code and the text of the error. */
  attempt(patienceMs?: number): Promise<string>;
  /** Ends faults and clients, and fails unless nothing of either is left. */
  calm(): Promise<void>;
  stop(): Promise<void>;
}

/** A client that was let in before a fault. */
export interface Standing {
  readonly client: pg.Client;
  readonly errors: readonly Error[];
  /** Runs a statement: what it gives in its first column, or the text of the error. */
  ask(statement: string): Promise<unknown>;
}

/** Starts one. Borrowing is given up after a second, so that a wait for the database is short. */
export async function startFaultStage(config: Readonly<Record<string, string>> = {}): Promise<FaultStage> {
  const program = await evaluated({ borrowTimeoutSeconds: "1", ...config });
  const { environment, refusals, messages } = await observe(program);
  const { faults } = environment.controlPlane;
  const teardown = { current: new Teardown(assert.fail) };
  const { proxy } = environment;
  await eventually("the target is available", 5_000, () => proxy.targetHealth().state === "AVAILABLE");
  return {
    environment,
    faults,
    refusals,
    messages,
    async connect() {
      const client = await clientOf(environment);
      const errors: Error[] = [];
      client.on("error", (error) => errors.push(error));
      await client.connect();
      teardown.current.add("a client", () => client.end());
      return { client, errors, ask: (statement) => ask(client, statement) };
    },
    async attempt(patienceMs) {
      const client = await clientOf(environment, undefined, patienceMs);
      client.on("error", () => {});
      try {
        await client.connect();
        const answer = await ask(client, "select 1");
        return answer === 1 ? "served" : `let in, then: ${answer}`;
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        return code === undefined ? message : `${code}: ${message}`;
      } finally {
        await client.end();
      }
    },
    async calm() {
      await faults.clear();
      await teardown.current.run();
      teardown.current = new Teardown(assert.fail);
      assert.deepEqual(faults.list(), []);
      assert.deepEqual(proxy.targetHealth(), { state: "AVAILABLE" });
      await eventually("no connection is left", 5_000, () => openConnections(environment).every((open) => open === 0));
    },
    stop: () => environment.stop(),
  };
}

async function ask(client: pg.Client, statement: string): Promise<unknown> {
  return client.query({ text: statement, rowMode: "array" }).then(
    ({ rows }) => rows[0]?.[0],
    (error: Error) => error.message,
  );
}

/** Clients at the proxy, and connections of the proxy at the database. */
export function openConnections({ proxy }: Environment): readonly [clients: number, database: number] {
  const { ClientConnections, DatabaseConnections } = proxy.metrics();
  return [ClientConnections, DatabaseConnections];
}
