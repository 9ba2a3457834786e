import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../local/command.ts";
import { stackArguments } from "./arguments.ts";
import { run } from "./run.ts";
import { addressOf, objectionsToAnswers } from "./smoke/call.ts";
import { objections } from "./smoke/judgement.ts";
import { observe } from "./smoke/observe.ts";
import { settle } from "./smoke/settle.ts";
import { stackOutputs, textOutput } from "./stack-outputs.ts";

/** The deployment was steady before this is called: what is left to wait for are targets on their way out, and a slow answer. */
const PATIENCE = { everyMs: 10_000, limitMs: 300_000 };

// Tells whether a deployed stack serves, with the image that it was told to run. Exits with 1 when something speaks against it.
await runCommand(async ({ log, signal }) => {
  const { stack } = stackArguments(process.argv.slice(2));
  const address = addressOf(process.env.SMOKE_URL ?? "");
  const outputs = await stackOutputs(stack, run);
  const digest = textOutput(outputs, "imageDigest");
  const ask = async () => [
    ...objections(await observe(outputs, run), digest),
    ...(address === undefined ? [] : await objectionsToAnswers(address)),
  ];
  const wait = async (ms: number) => void (await delay(ms, undefined, { signal }));
  const left = await settle(ask, PATIENCE, { now: Date.now, wait });
  for (const objection of left) log(`- ${objection}`);
  if (left.length > 0) return 1;
  log(`stack ${stack} serves with ${digest}${address === undefined ? "" : `, and answers at ${address.origin}`}`);
  return 0;
});
