import type pg from "pg";
import { PoolError } from "./errors.ts";
import type { RdsIamPoolOptions } from "./options.ts";

/** A hook may wait for something else than the connection, which is nevertheless lost when the attempt is over. */
export async function unlessClosed(client: pg.Client, hook: void | Promise<void>): Promise<void> {
  const closed = Promise.withResolvers<never>();
  const fail = (error?: Error) => closed.reject(error ?? new Error("Connection terminated while onConnect ran"));
  client.once("error", fail).once("end", fail);
  try {
    await Promise.race([hook, closed.promise]);
  } finally {
    client.off("error", fail).off("end", fail);
    Promise.resolve(hook).catch(() => {});
  }
}

/** A question that nobody answers would hold its place among the establishments for ever. */
export function verifyWithin(limitMs: number, verify: NonNullable<RdsIamPoolOptions["verify"]>): typeof verify {
  return (client, done) => {
    let answered = false;
    const answer = (error?: Error) => {
      clearTimeout(timer);
      if (!answered) done(error);
      answered = true;
    };
    const timer = setTimeout(() => {
      answer(new PoolError("CONNECT_TIMEOUT", `'verify' gave no answer within ${limitMs} ms`));
    }, limitMs);
    verify(client, answer);
  };
}
