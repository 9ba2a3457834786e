import assert from "node:assert/strict";
import { after, before, describe } from "mocha";
import type { Account, Operation, Verb } from "../../local/engine/account.ts";
import { hasPulumi } from "../../local/engine/cli.ts";
import { OfflineEngine } from "../../local/engine/engine.ts";

const present = await hasPulumi();

/** Longest that one case may take in milliseconds: the engine makes a hundred resources, on a machine that others use too. */
const CASE_MS = 120_000;

/** What a describe of the engine's tests gets. */
export interface EngineFixture {
  readonly engine: OfflineEngine;
  readonly account: Account;
}

/** Tests of the real engine, with an engine and an account of their own. Skipped, and counted as that, where there is no CLI. */
export function describeEngine(title: string, body: (fixture: EngineFixture) => void): void {
  const describing = present ? describe : describe.skip;
  describing(present ? title : `${title} (skipped: there is no pulumi on PATH)`, function () {
    this.timeout(CASE_MS);
    let engine: OfflineEngine | undefined;
    const started = () => {
      assert.ok(engine, "the engine is started before the first test");
      return engine;
    };
    before(async () => {
      engine = await OfflineEngine.start();
    });
    after(() => engine?.stop());
    body({
      get engine() {
        return started();
      },
      get account() {
        return started().account;
      },
    });
  });
}

/** One operation, by verb, last part of the type, and logical name. */
export type Deed = readonly [verb: Verb, type: string, name: string];

/** Operations that fit, in the order in which they began. */
export function operationsOf(account: Account, verb: Verb, type?: string, name?: string): readonly Operation[] {
  return account.operations.filter(
    (operation) =>
      operation.verb === verb &&
      (type === undefined || operation.type.endsWith(`:${type}`)) &&
      (name === undefined || operation.name === name),
  );
}

/** The one operation that fits; fails where there is another count. */
export function onlyOperation(account: Account, [verb, type, name]: Deed): Operation {
  const found = operationsOf(account, verb, type, name);
  const [operation] = found;
  const log = account.operations.map((other) => `${other.verb} ${other.type} ${other.name}`).join("\n");
  assert.ok(operation && found.length === 1, `${found.length} times ${verb} ${type} ${name} in:\n${log}`);
  return operation;
}

/** Fails unless the one ended before the other began. */
export function assertBefore(account: Account, earlier: Deed, later: Deed): void {
  const [one, other] = [onlyOperation(account, earlier), onlyOperation(account, later)];
  assert.equal(one.failure, undefined, `${earlier.join(" ")} failed`);
  assert.ok(
    (one.ended ?? Number.POSITIVE_INFINITY) < other.begun,
    `${later.join(" ")} began before ${earlier.join(" ")} ended`,
  );
}

/** Verb, last part of the type and name of everything that changed something, sorted. */
export function deedsOf(account: Account): readonly string[] {
  return account.operations
    .filter(({ verb }) => verb !== "read")
    .map(({ verb, type, name }) => `${verb} ${type.split(":").at(-1)} ${name}`)
    .sort();
}
