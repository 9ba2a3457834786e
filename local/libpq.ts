import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Signer } from "@aws-sdk/rds-signer";
import { runCommand, UsageError } from "./command.ts";

const HELP = `Usage: eval "$(npm run --silent libpq -- FILE)" && psql

Prints the environment with which psql, and whatever else is built on libpq, connects to the local proxy as the service does: by TLS, to
the declared name, with an IAM token for a password. FILE holds the line that "npm run --silent local -- --json" printed. The token is
signed by the AWS SDK with the task role's credentials, and good for 15 minutes.`;

/** The endpoint is on this machine and answers in milliseconds. */
const CREDENTIALS_TIMEOUT_MS = 5_000;

/** The parts of the environment's description that a client needs to sign in. */
interface Description {
  readonly region: string;
  readonly proxy: {
    readonly endpoint: string;
    readonly port: number;
    readonly address: string;
    readonly listenPort: number;
    readonly caFile: string;
  };
  readonly database: { readonly user: string; readonly name: string };
  readonly credentials: { readonly fullUri: string; readonly authorizationToken: string };
}

await runCommand(async () => {
  const file = parse(process.argv.slice(2));
  if (file === undefined) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const description = await readDescription(file);
  const { region, proxy, database, credentials } = description;
  const signer = new Signer({
    region,
    hostname: proxy.endpoint,
    port: proxy.port,
    username: database.user,
    credentials: await taskCredentials(credentials),
  });
  const environment = libpqEnvironment(description, await signer.getAuthToken());
  for (const [name, value] of Object.entries(environment)) process.stdout.write(`export ${name}=${quoted(value)}\n`);
  return 0;
});

/** The task role's credentials from the environment's endpoint; never those that the SDK would find on a developer's machine. */
async function taskCredentials({ fullUri, authorizationToken }: Description["credentials"]) {
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

/** The variables of libpq ("Environment Variables", PostgreSQL documentation). The host is verified, the address dialled. */
function libpqEnvironment({ proxy, database }: Description, token: string): Record<string, string> {
  return {
    PGHOST: proxy.endpoint,
    PGHOSTADDR: proxy.address,
    PGPORT: String(proxy.listenPort),
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: proxy.caFile,
    PGUSER: database.user,
    PGDATABASE: database.name,
    PGPASSWORD: token,
  };
}

/** A word for a POSIX shell that means itself. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

async function readDescription(file: string): Promise<Description> {
  const text = await readFile(file, "utf8");
  try {
    const description = JSON.parse(text) as Partial<Description>;
    if (!description.proxy || !description.database || !description.credentials)
      throw new TypeError("parts are missing");
    return description as Description;
  } catch (cause) {
    throw new UsageError(`${file} does not hold the line that "npm run --silent local -- --json" prints\n\n${HELP}`, {
      cause,
    });
  }
}

function parse(args: string[]): string | undefined {
  try {
    const { values, positionals } = parseArgs({ args, options: { help: { type: "boolean" } }, allowPositionals: true });
    if (values.help) return undefined;
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new Error("one FILE is needed");
    return file;
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${HELP}`, { cause });
  }
}
