import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Signer } from "@aws-sdk/rds-signer";
import { runCommand, UsageError } from "./command.ts";

const HELP = `Usage: npm run --silent token -- FILE

Prints an IAM token for the local proxy, to be used as a password within 15 minutes. FILE holds the line that
"npm run --silent local -- --json" printed. The token is signed by the AWS SDK with the task role's credentials, as the service does.`;

/** The parts of the environment's description that a client needs to sign in. */
interface Description {
  readonly region: string;
  readonly proxy: { readonly endpoint: string; readonly port: number };
  readonly database: { readonly user: string };
  readonly credentials: { readonly fullUri: string; readonly authorizationToken: string };
}

await runCommand(async () => {
  const file = parse(process.argv.slice(2));
  if (file === undefined) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const { region, proxy, database, credentials } = await readDescription(file);
  // The SDK's own way to a task's credentials, the only one that is to be tried.
  process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = credentials.fullUri;
  process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN = credentials.authorizationToken;
  process.env.AWS_EC2_METADATA_DISABLED = "true";
  for (const variable of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
    delete process.env[variable];
  }
  const signer = new Signer({ region, hostname: proxy.endpoint, port: proxy.port, username: database.user });
  process.stdout.write(`${await signer.getAuthToken()}\n`);
  return 0;
});

async function readDescription(file: string): Promise<Description> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text) as Description;
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
