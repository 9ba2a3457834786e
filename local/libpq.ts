import { Signer } from "@aws-sdk/rds-signer";
import { runExportCommand } from "./export-command.ts";

const HELP = `Usage: eval "$(npm run --silent libpq -- FILE)" && psql

Prints the environment with which psql, and whatever else is built on libpq, connects to the local proxy as the service does: by TLS, to
the declared name, with an IAM token for a password. FILE holds the line that "npm run --silent local -- --json" printed. The token is
signed by the AWS SDK with the task role's credentials, and good for 15 minutes.`;

await runExportCommand(HELP, async ({ region, proxy, database }, credentials) => {
  const signer = new Signer({
    region,
    hostname: proxy.endpoint,
    port: proxy.port,
    username: database.user,
    credentials,
  });
  // The variables of libpq ("Environment Variables", PostgreSQL documentation). The host is verified, the address dialled.
  return {
    PGHOST: proxy.endpoint,
    PGHOSTADDR: proxy.address,
    PGPORT: String(proxy.listenPort),
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: proxy.caFile,
    PGUSER: database.user,
    PGDATABASE: database.name,
    PGPASSWORD: await signer.getAuthToken(),
  };
});
