import postgres from "postgres";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { signerOf } from "./signer.ts";

/** As its documentation has it, named prepared statements and pipelining included, which are its defaults. */
export function postgresJs(target: Target, max: number): Contender {
  const { host, port, user, database } = target;
  const signer = signerOf(target);
  const password = () => signer.getAuthToken();
  const sql = postgres({ host, port, user, database, max, password, ssl: "verify-full", onnotice: () => {} });
  return {
    select: (id) => sql`SELECT id, name, balance FROM accounts WHERE id = ${id}`,
    failingSelect: () => sql`SELECT 1 / 0`,
    transaction: (id, fails) =>
      sql.begin((own) => (fails ? own`SELECT 1 / 0` : own`UPDATE accounts SET balance = balance + 1 WHERE id = ${id}`)),
    lend: async () => {
      const reserved = await sql.reserve();
      return { query: (text) => reserved.unsafe(text), release: () => reserved.release() };
    },
    mint: password,
  };
}
