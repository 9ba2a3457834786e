import { runCommand } from "../local/command.ts";
import { readStackConfiguration } from "../local/program/configuration.ts";
import { stackArguments } from "./arguments.ts";
import { DeliveryError } from "./run.ts";

// Prints the region of a stack, which a job must know before it has credentials.
await runCommand(async () => {
  const { stack } = stackArguments(process.argv.slice(2));
  const region = (await readStackConfiguration(stack)).values["aws:region"];
  if (!region)
    throw new DeliveryError(`stack ${stack} has no aws:region; set it in Pulumi.yaml or Pulumi.${stack}.yaml`);
  process.stdout.write(`${region}\n`);
  return 0;
});
