import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { runCommand, UsageError } from "./command.ts";

/** The endpoint is on this machine and answers in milliseconds. */
const CREDENTIALS_TIMEOUT_MS = 5_000;

const portNumber = z.int().min(1).max(65_535);

/** Of an environment's description, the parts that a client needs; what else there is passes. */
const clientDescription = z.object({
  region: z.string(),
  proxy: z.object({
    endpoint: z.string(),
    port: portNumber,
    address: z.string(),
    listenPort: portNumber,
    caFile: z.string(),
  }),
  database: z.object({ user: z.string(), name: z.string() }),
  credentials: z.object({ fullUri: z.url(), authorizationToken: z.string() }),
});

/** What a client needs to know to sign in. */
export type ClientDescription = z.infer<typeof clientDescription>;

/** Temporary AWS credentials, as the AWS SDK takes them. */
export interface TaskCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Variables to set, by name; one that is undefined is to be removed. */
export type ShellEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * Runs a command that takes FILE, the description of an environment that runs, and prints lines for `eval` in a POSIX shell which
 * make the shell's environment that of a client. When it fails it prints `false` instead, so that `eval "$(…)" && …` goes no further.
 *
 * @param environmentOf is called once the environment has answered
 */
export async function runExportCommand(
  help: string,
  environmentOf: (description: ClientDescription, credentials: TaskCredentials) => Promise<ShellEnvironment>,
): Promise<never> {
  return runCommand(async () => {
    try {
      const file = parse(process.argv.slice(2), help);
      if (file === undefined) {
        process.stdout.write(`${help}\n`);
        return 0;
      }
      const description = await readDescription(file, help);
      const environment = await environmentOf(description, await taskCredentials(description.credentials));
      process.stdout.write(Object.entries(environment).map(shellLine).join(""));
      return 0;
    } catch (error) {
      process.stdout.write("false\n");
      throw error;
    }
  });
}

/** The task role's credentials from the environment's endpoint; never those that the SDK would find on a developer's machine. */
async function taskCredentials({
  fullUri,
  authorizationToken,
}: ClientDescription["credentials"]): Promise<TaskCredentials> {
  const response = await fetch(fullUri, {
    headers: { authorization: authorizationToken },
    signal: AbortSignal.timeout(CREDENTIALS_TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new Error(`the local environment does not answer at ${new URL(fullUri).origin}: is it still running?`, {
      cause,
    });
  });
  if (!response.ok)
    throw new Error(`the credentials endpoint answered ${response.status}: is FILE of the environment that runs?`);
  const { AccessKeyId, SecretAccessKey, Token } = (await response.json()) as Record<string, string>;
  return { accessKeyId: String(AccessKeyId), secretAccessKey: String(SecretAccessKey), sessionToken: String(Token) };
}

function shellLine([name, value]: readonly [string, string | undefined]): string {
  return value === undefined ? `unset ${name}\n` : `export ${name}=${quoted(value)}\n`;
}

/** A word for a POSIX shell that means itself. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

async function readDescription(file: string, help: string): Promise<ClientDescription> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`FILE cannot be read: ${why}\n\n${help}`, { cause });
  });
  try {
    return clientDescription.parse(JSON.parse(text));
  } catch (cause) {
    throw new UsageError(
      `${file} does not hold the line that "npm run --silent local -- --json" prints once it is up\n\n${help}`,
      { cause },
    );
  }
}

/** @returns FILE, or undefined when help is asked for */
function parse(args: string[], help: string): string | undefined {
  try {
    const { values, positionals } = parseArgs({ args, options: { help: { type: "boolean" } }, allowPositionals: true });
    if (values.help) return undefined;
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new Error("one FILE is needed");
    return file;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${help}`, { cause });
  }
}
