import type { FastifyPluginCallback } from "fastify";
import type pg from "pg";
import { Problem } from "../problems.ts";

/** Limit of a readiness check: below any health check's own time-out, the load balancer's 5 s by default included. */
const READINESS_MS = 2_000;
/** A connection that says nothing for so long is dropped: below the limit above, so that the next check takes another. */
const SILENCE_MS = 1_500;

/**
 * `/livez` says that the process answers; it never asks the database, or an outage of the database would restart every task. `/readyz`
 * says that the database answers.
 */
export function healthRoutes(pool: pg.Pool): FastifyPluginCallback {
  const ask = singleFlight(() => askDatabase(pool));
  return (app, _options, done) => {
    app.get("/livez", { logLevel: "warn" }, () => ({ status: "alive" }));
    app.get("/readyz", { logLevel: "warn" }, async () => {
      await within(READINESS_MS, ask()).catch((cause) => {
        throw new Problem(503, "NOT_READY", "The database does not answer at the moment", { cause });
      });
      return { status: "ready" };
    });
    done();
  };
}

async function askDatabase(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await within(SILENCE_MS, client.query("SELECT 1"));
  } catch (error) {
    // A connection that was silent once would be silent to the next check too, for as long as TCP keeps it.
    client.release(true);
    throw error;
  }
  client.release();
}

/** One question at a time: checks that pile up while the database is away must not fill the pool's queue. */
function singleFlight(question: () => Promise<unknown>): () => Promise<unknown> {
  let asked: Promise<unknown> | undefined;
  return () => {
    asked ??= question().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

async function within(ms: number, answer: Promise<unknown>): Promise<void> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`No answer of the database within ${ms} ms`)), ms);
  try {
    await Promise.race([answer, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
