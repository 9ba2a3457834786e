import { runCommand } from "../local/command.ts";
import { stackArguments } from "./arguments.ts";
import { run } from "./run.ts";
import { stackOutputs } from "./stack-outputs.ts";

/** Stands for an image in the preview of a stack that has none yet: no image has this digest. */
const NO_IMAGE = `sha256:${"0".repeat(64)}`;

// Prints the digest of the image that a stack runs, with which a preview neither builds nor pushes.
await runCommand(async ({ log }) => {
  const { stack } = stackArguments(process.argv.slice(2));
  const { imageDigest } = await stackOutputs(stack, run);
  const known = typeof imageDigest === "string" && /^sha256:[0-9a-f]{64}$/.test(imageDigest);
  if (!known) log(`stack ${stack} runs no image yet; the preview names one that does not exist`);
  process.stdout.write(`${known ? imageDigest : NO_IMAGE}\n`);
  return 0;
});
