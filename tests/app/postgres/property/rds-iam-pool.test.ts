import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { eventually } from "../../../local/eventually.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import { type Ending, RealStage, STATEMENTS } from "./real-stage.ts";
import { parameters, SEED } from "./settings.ts";

const ENDINGS: Ending[] = ["clean", "discarded", "in transaction", "at work", "failing", "lost here", "lost there"];

const step = fc.oneof(
  fc.record({ kind: fc.constant("connect" as const) }),
  fc.record({ kind: fc.constant("release" as const), index: fc.nat(5), ending: fc.constantFrom(...ENDINGS) }),
  fc.record({
    kind: fc.constant("query" as const),
    text: fc.constantFrom(...(Object.keys(STATEMENTS) as (keyof typeof STATEMENTS)[])),
  }),
  fc.record({ kind: fc.constant("transaction" as const), fails: fc.boolean() }),
  fc.record({ kind: fc.constant("log-ins fail" as const), count: fc.integer({ min: 1, max: 3 }) }),
  // Glanced at, or asked.
  fc.record({ kind: fc.constant("idleness" as const), ms: fc.constantFrom(1_000, 2_000) }),
  fc.record({ kind: fc.constant("rest" as const), turns: fc.integer({ min: 1, max: 40 }) }),
);
const sizes = fc.record({ max: fc.integer({ min: 1, max: 3 }), maxEstablishing: fc.integer({ min: 1, max: 2 }) });

describe("RdsIamPool over a real PostgreSQL, whatever the order of events", () => {
  const fixture = poolFixture();

  it(`answers each caller, lends nothing twice nor in a transaction, and ends (seed ${SEED})`, async function () {
    this.timeout(3_600_000);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.array(step, { maxLength: 30, size: "max" }),
        fc.boolean(),
        async (size, steps, early) => {
          runs += 1;
          const front = await fixture.listen();
          let refusals = 0;
          front.refuse = () => (refusals-- > 0 ? WRONG_PASSWORD : undefined);
          const clock = fakeClock();
          const idleCheckMillis = 2_000;
          const maxEstablishing = Math.min(size.max, size.maxEstablishing);
          const pool = fixture.createPool({
            max: size.max,
            maxEstablishing,
            idleCheckMillis,
            clock,
            port: front.port,
            ca: front.caPem,
          });
          const stage = new RealStage(pool, size.max);
          for (const action of steps) {
            if (action.kind === "connect") stage.connect();
            else if (action.kind === "release") stage.release(action.index, action.ending);
            else if (action.kind === "query") stage.query(action.text);
            else if (action.kind === "transaction") stage.transaction(action.fails);
            else if (action.kind === "log-ins fail") refusals = action.count;
            else if (action.kind === "idleness") clock.advance(action.ms);
            else await stage.rest(action.turns);
          }
          const ended = early ? pool.end() : undefined;
          await stage.finish();
          assert.equal(pool.waitingCount, 0);
          await (ended ?? pool.end());
          assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [0, 0, 0]);
          await eventually("every socket is closed", 2_000, () => front.open === 0);
        },
      ),
      parameters(25),
    );
    assert.ok(runs > 0);
  });
});
