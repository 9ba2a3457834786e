import type { Environment } from "./environment.ts";

/** What a client needs to know to use an environment: the line of JSON that `npm run local -- --json` prints once it is up. */
export type Description = ReturnType<typeof describeEnvironment>;

/** `endpoint` and `port` are what is signed and verified; `address` and `listenPort` are where to dial. */
export function describeEnvironment(
  { declared, proxy, postgres, credentials, service, caFile }: Environment,
  controlUrl: string,
) {
  return {
    region: declared.region,
    proxy: {
      endpoint: declared.proxy.endpoint,
      port: declared.proxy.port,
      address: "127.0.0.1",
      listenPort: proxy.port,
      caFile,
    },
    database: { user: declared.database.user, name: declared.database.name, directUrl: postgres.directUrl },
    credentials: { fullUri: credentials.fullUri, authorizationToken: credentials.authorizationToken },
    service: { url: service?.loadBalancer.url },
    control: { url: controlUrl },
    pid: process.pid,
  };
}
