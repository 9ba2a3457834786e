import { bundleApplication } from "../infra/bundle.ts";
import { runCommand } from "../local/command.ts";

// Bundles the application as the program would, and prints the folder that its image is built from.
await runCommand(async () => {
  process.stdout.write(`${bundleApplication().context}\n`);
  return 0;
});
