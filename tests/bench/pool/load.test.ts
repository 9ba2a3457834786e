import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Contender, REFUSED_SQLSTATE } from "../../../bench/pool/contenders.ts";
import { type Answer, complaintOf, measureLoad, startLoad } from "../../../bench/pool/load.ts";
import type { Load } from "../../../bench/pool/plan.ts";

const REFUSAL = Object.assign(new Error("division by zero"), { code: REFUSED_SQLSTATE });
const LOST = new Error("Connection terminated unexpectedly");

/** A contender without a database, which answers a turn of the event loop later. */
class Instant implements Contender {
  readonly asked: string[] = [];
  readonly ids = new Set<number>();
  lost = false;

  select(id: number): Promise<void> {
    return this.#answer("select", id, this.lost ? LOST : undefined);
  }
  failingSelect(): Promise<void> {
    return this.#answer("failing select", undefined, REFUSAL);
  }
  transaction(id: number, fails: boolean): Promise<void> {
    return this.#answer(fails ? "failing transaction" : "transaction", id, fails ? REFUSAL : undefined);
  }
  lend(): Promise<never> {
    throw new Error("a load lends nothing by itself");
  }
  mint(): Promise<never> {
    throw new Error("a load mints nothing by itself");
  }

  async #answer(what: string, id: number | undefined, error: Error | undefined): Promise<void> {
    this.asked.push(what);
    if (id !== undefined) this.ids.add(id);
    await new Promise((resolve) => setImmediate(resolve));
    if (error) throw error;
  }
}

/** Runs a load until so many were answered. */
async function answersOf(contender: Contender, load: Load, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  const enough = Promise.withResolvers<void>();
  const running = startLoad(contender, load, (answer) => {
    answers.push(answer);
    if (answers.length === count) enough.resolve();
  });
  await enough.promise;
  await running.stop();
  return answers;
}

describe("A load", () => {
  for (const work of ["select", "transaction"] as const) {
    it(`lets every tenth ${work} fail, evenly, and no other`, async () => {
      const contender = new Instant();
      const answers = await answersOf(contender, { work, callers: 1, failing: true }, 100);
      assert.equal(contender.asked.length, answers.length);
      assert.deepEqual(
        contender.asked.map((what, place) => (what === `failing ${work}` ? place : undefined)).filter(Number.isInteger),
        contender.asked.map((_, place) => place).filter((place) => place % 10 === 0),
      );
      assert.deepEqual(new Set(contender.asked), new Set([work, `failing ${work}`]));
    });

    it(`lets no ${work} fail where none is to`, async () => {
      const contender = new Instant();
      const answers = await answersOf(contender, { work, callers: 10, failing: false }, 100);
      assert.deepEqual(new Set(contender.asked), new Set([work]));
      assert.deepEqual(
        answers.filter(({ error }) => error !== undefined),
        [],
      );
    });
  }

  it("asks for as many at once as there are callers, each for rows of its own, among those that there are", async () => {
    const contender = new Instant();
    const running = startLoad(contender, { work: "select", callers: 50, failing: false }, () => {});
    assert.equal(contender.asked.length, 50);
    assert.equal(contender.ids.size, 50);
    await running.stop();
    assert.equal(contender.asked.length, 50);
    await answersOf(contender, { work: "select", callers: 50, failing: false }, 5_000);
    assert.deepEqual([Math.min(...contender.ids), Math.max(...contender.ids)], [0, 999]);
  });

  it("waits no longer than its limit for callers that are never answered, and counts them", async () => {
    const contender = new Instant();
    contender.select = (id) => (id < 40 ? new Promise(() => {}) : Promise.resolve());
    const running = startLoad(contender, { work: "select", callers: 5, failing: false }, () => {});
    assert.equal(await running.stop(20), 2);
  });

  it("is complained of when it was not what it was to be: other errors, none, too many, or some where none was to be", () => {
    const result = {
      perSecond: 1,
      p50: 1,
      p99: 1,
      cpuMicros: 1,
      answered: 1_000,
      unexpected: 0,
      unexpectedMessage: undefined,
    };
    const load = { work: "select", callers: 1 } as const;
    const complaint = (failing: boolean, failed: number, more = {}) =>
      complaintOf({ ...load, failing }, { ...result, failed, ...more });
    assert.equal(complaint(true, 100), undefined);
    assert.equal(complaint(false, 0), undefined);
    assert.equal(complaint(true, 0), "0 of 1000 failed, where every 10th was to");
    assert.equal(complaint(true, 500), "500 of 1000 failed, where every 10th was to");
    assert.equal(complaint(false, 1), "1 of 1000 failed, where none was to");
    assert.equal(complaint(true, 0, { answered: 50 }), undefined);
    assert.equal(complaint(false, 0, { unexpected: 2, unexpectedMessage: "lost" }), "2 errors, such as: lost");
  });

  it("counts what the load asked for apart from what it did not", async () => {
    const contender = new Instant();
    const healthy = await measureLoad(contender, { work: "select", callers: 10, failing: true }, { leadMs: 5, ms: 30 });
    assert.ok(healthy.answered > 0 && healthy.failed > 0 && healthy.failed < healthy.answered / 5);
    assert.deepEqual([healthy.unexpected, healthy.unexpectedMessage], [0, undefined]);
    assert.ok(healthy.p50 <= healthy.p99 && healthy.perSecond > 0 && healthy.cpuMicros > 0);
    contender.lost = true;
    const lost = await measureLoad(contender, { work: "select", callers: 1, failing: false }, { leadMs: 0, ms: 10 });
    assert.ok(lost.unexpected >= lost.answered && lost.answered > 0);
    assert.deepEqual([lost.failed, lost.unexpectedMessage], [0, LOST.message]);
  });
});
