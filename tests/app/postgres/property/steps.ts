import fc from "fast-check";
import type { Setting } from "./core.ts";
import type { Place } from "./roster.ts";
import type { Manner, ScriptedClient } from "./scripted-client.ts";
import type { Stage } from "./stage.ts";

/** Nothing is predicted step by step: the stage asserts what must hold whatever happens. */
type Model = Record<string, never>;
export type Step = fc.AsyncCommand<Model, Stage>;

interface Script {
  readonly name: string;
  /** Whether it can happen now. */
  readonly check?: (stage: Stage) => boolean;
  readonly run: (stage: Stage) => void | Promise<void>;
}

/** @param rests whether everything settles after it, or the next step happens in the same turn of the event loop */
function step({ name, run }: Script, rests: boolean): Step {
  return {
    check: () => true,
    run: async (_model, stage) => {
      await run(stage);
      if (rests) await stage.rest();
    },
    toString: () => (rests ? name : `${name} &`),
  };
}

const pick = fc.nat({ max: 7 });
const rests = fc.boolean();
const manner = fc.constantFrom<Manner[]>(
  "clean",
  "clean",
  "discard",
  "in transaction",
  "in failed one",
  "at work",
  "beginning",
  "failing",
);
const outcome = fc.constantFrom(
  "succeeds",
  "succeeds",
  "succeeds",
  "fails",
  "fails",
  "fails for good",
  "is lost at once",
);
const latency = fc.constantFrom(0, 300, 1_500, 2_500, Number.POSITIVE_INFINITY);
const span = fc.constantFrom(1, 49, 50, 100, 500, 999, 1_000, 1_000, 2_000, 6_000);

/** Does it to one of them, if there is any. */
function toOne(clients: readonly ScriptedClient[], index: number, act: (client: ScriptedClient) => void): void {
  const client = clients[index % clients.length];
  if (client) act(client);
}

const connect = rests.map((r) => step({ name: "connect", run: (stage) => stage.connect() }, r));
const release = fc.tuple(pick, manner, rests).map(([index, how, r]) =>
  step(
    {
      name: `release ${index} ${how}`,
      run: (stage) => {
        if (stage.lent > 0) stage.release(index % stage.lent, how);
      },
    },
    r,
  ),
);
const establish = fc.tuple(pick, outcome, rests).map(([index, how, r]) =>
  step(
    {
      name: `establishment ${index} ${how}`,
      run: (stage) =>
        toOne(stage.establishing, index, (client) => {
          if (how === "fails" || how === "fails for good") stage.fail(client, how === "fails for good");
          else stage.succeed(client);
          if (how === "is lost at once") stage.kill(client);
        }),
    },
    r,
  ),
);
const kill = fc
  .tuple(pick, fc.constantFrom<Place[]>("idle", "lent", "returning", "looked at", "connecting"), rests)
  .map(([index, place, r]) =>
    step(
      {
        name: `kill ${index} ${place}`,
        run: (stage) => toOne(stage.killable(place), index, (client) => stage.kill(client)),
      },
      r,
    ),
  );
const slow = fc.tuple(pick, latency).map(([index, ms]) =>
  step(
    {
      name: `server of ${index} answers after ${ms} ms`,
      run: (stage) =>
        toOne([...stage.roster.at("idle"), ...stage.roster.at("lent")], index, (client) => {
          client.latencyMs = ms;
        }),
    },
    false,
  ),
);
const recover = fc.tuple(pick, rests).map(([index, r]) =>
  step(
    {
      name: `server of ${index} answers`,
      run: (stage) =>
        toOne([...stage.roster.at("looked at"), ...stage.roster.at("returning")], index, (client) => client.recover()),
    },
    r,
  ),
);
const advance = span.map((ms) => step({ name: `${ms} ms pass`, run: (stage) => stage.advance(ms) }, true));
const end = rests.map((r) =>
  step(
    {
      name: "end",
      run: (stage) => {
        if (!stage.ended) stage.end();
      },
    },
    r,
  ),
);

/** Random interleavings; ending is rare, since little can happen afterwards. */
export const steps = fc.commands<Model, Stage, false>(
  [
    connect,
    connect,
    connect,
    release,
    release,
    establish,
    establish,
    establish,
    kill,
    slow,
    recover,
    advance,
    advance,
    end,
  ].map((commands) => commands),
  { maxCommands: 60, size: "max" },
);

export const settings: fc.Arbitrary<Setting> = fc
  .record({
    max: fc.integer({ min: 1, max: 4 }),
    maxEstablishing: fc.integer({ min: 1, max: 3 }),
    connectRetryMillis: fc.constantFrom(0, 300, 2_000),
    maxUses: fc.constantFrom(undefined, undefined, 2),
    draw: fc.constantFrom(0, 0.5, 0.999),
    hooked: fc.boolean(),
    latencyMs: fc.constantFrom(0, 0, 0, 300, 1_000, Number.POSITIVE_INFINITY),
  })
  .map((setting) => ({ ...setting, maxEstablishing: Math.min(setting.max, setting.maxEstablishing) }));
