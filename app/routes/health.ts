import type { FastifyPluginCallback } from "fastify";
import type pg from "pg";
import { Problem } from "../problems.ts";

/** Limit of a readiness check: below any health check's own time-out, the load balancer's 5 s by default included. */
const READINESS_MS = 2_000;

/**
 * `/livez` says that the process answers; it never asks the database, or an outage of the database would restart every task. `/readyz`
 * says that the database answers.
 */
export function healthRoutes(pool: pg.Pool): FastifyPluginCallback {
  const ask = singleFlight(() => pool.query("SELECT 1"));
  return (app, _options, done) => {
    app.get("/livez", { logLevel: "warn" }, () => ({ status: "alive" }));
    app.get("/readyz", { logLevel: "warn" }, async () => {
      await answerWithin(READINESS_MS, ask());
      return { status: "ready" };
    });
    done();
  };
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

async function answerWithin(ms: number, question: Promise<unknown>): Promise<void> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`No answer of the database within ${ms} ms`)), ms);
  try {
    await Promise.race([question, limit.promise]);
  } catch (cause) {
    throw new Problem(503, "NOT_READY", "The database does not answer at the moment", { cause });
  } finally {
    clearTimeout(timer);
  }
}
