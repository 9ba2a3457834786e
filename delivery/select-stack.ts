import { readFile, writeFile } from "node:fs/promises";
import { runCommand } from "../local/command.ts";
import { stackArguments } from "./arguments.ts";
import { DeliveryError, run } from "./run.ts";
import { secretsOfState, withSecrets } from "./stack-secrets.ts";

/** Kind of key that bootstrap makes. */
const KMS = /^awskms:\/\/\S+$/;

/**
 * Selects a stack, with `--create` makes it under the key PULUMI_SECRETS_PROVIDER where it does not exist, and sees to it that the
 * stack file says how its secrets are encrypted. Pulumi writes that into the file of whoever creates the stack; in a fresh checkout
 * it would ask for a passphrase instead. The state tells it too, so nobody has to commit it.
 */
await runCommand(async ({ log }) => {
  const { stack, flags } = stackArguments(process.argv.slice(2), ["create"]);
  await run("pulumi", ["stack", "select", "--non-interactive", "--stack", stack, ...creation(flags.has("create"))]);
  const path = `Pulumi.${stack}.yaml`;
  const file = await readFile(path, "utf8");
  if (/^secretsprovider:/m.test(file)) return 0;
  const exported = await run("pulumi", ["stack", "export", "--stack", stack]);
  await writeFile(path, withSecrets(file, secretsOfState(stack, exported)));
  log(`${path} now says how the state's secrets are encrypted`);
  return 0;
});

function creation(create: boolean): readonly string[] {
  if (!create) return [];
  const provider = process.env.PULUMI_SECRETS_PROVIDER ?? "";
  if (!KMS.test(provider)) {
    throw new DeliveryError(
      `PULUMI_SECRETS_PROVIDER is ${JSON.stringify(provider)}; allowed: the stack's key, awskms://…, as bootstrap prints it`,
    );
  }
  return ["--create", "--secrets-provider", provider];
}
