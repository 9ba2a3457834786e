import { fileURLToPath } from "node:url";
import { containerEnvironment } from "./container-environment.ts";
import { runExportCommand, type ShellEnvironment } from "./export-command.ts";

const HELP = `Usage: (eval "$(npm run --silent node-env -- FILE)" && node my-app.ts)

Prints the environment with which any Node program, unchanged, connects to the local proxy as the service does: to the declared name and
port, by verified TLS, with IAM tokens that it signs with the task role's credentials. FILE holds the line that
"npm run --silent local -- --json" printed. The program finds where to connect in DB_HOST, DB_PORT, POSTGRES_USER, POSTGRES_DB and AWS_REGION.

Every Node process of that shell is concerned, npm and npx too: hence the parentheses, which keep your own shell as it was.`;

/**
 * Where the AWS SDK looks before, or instead of, the container credentials endpoint ("Credential provider chain" and "Container
 * credential provider", AWS SDKs and Tools Reference Guide). A developer's own would sign tokens that the proxy does not know.
 */
const OTHER_CREDENTIALS = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

await runExportCommand(HELP, async ({ region, proxy, database, credentials }): Promise<ShellEnvironment> => {
  const { endpoint: host, port, address, listenPort, caFile } = proxy;
  const { NODE_OPTIONS } = process.env;
  // ECS itself is not pretended: a program may look for more of it than there is.
  const { AWS_EXECUTION_ENV: _, ...environment } = containerEnvironment(
    "node-env",
    {
      DB_HOST: host,
      DB_PORT: String(port),
      POSTGRES_DB: database.name,
      POSTGRES_USER: database.user,
      AWS_REGION: region,
      // The time that the SDK would take to find no instance's metadata would hide why the endpoint had no credentials.
      AWS_EC2_METADATA_DISABLED: "true",
      ...(NODE_OPTIONS && { NODE_OPTIONS }),
    },
    { credentials, caFile, hosts: [{ host, port, address, listenPort }], forChildren: true },
    fileURLToPath(new URL("preload.mjs", import.meta.url)),
  );
  return { ...Object.fromEntries(OTHER_CREDENTIALS.map((name) => [name, undefined])), ...environment };
});
