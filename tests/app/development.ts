import type { ServiceConfiguration } from "../../app/config.ts";
import type { TestDatabase } from "./test-database.ts";

/** A development configuration on a test's database, on any free port. */
export function developmentConfiguration(
  { host, port, name, user, password }: TestDatabase,
  settings: Partial<Omit<ServiceConfiguration, "database">> = {},
  database: { readonly poolSize?: number; readonly acquireSeconds?: number; readonly port?: number } = {},
): ServiceConfiguration {
  return {
    port: 0,
    listenHost: "127.0.0.1",
    logLevel: "info",
    requestDeadlineSeconds: 10,
    keepAliveSeconds: 60,
    drainSeconds: 5,
    migrationDeadlineSeconds: 10,
    ...settings,
    database: {
      authentication: "password",
      host,
      port,
      name,
      user,
      password,
      poolSize: 5,
      acquireSeconds: 5,
      ...database,
    },
  };
}

/** The same as a process gets it. */
export function developmentEnvironment({ host, port, name, user, password }: TestDatabase): Record<string, string> {
  return {
    ENV: "development",
    DB_HOST: host,
    DB_PORT: String(port),
    POSTGRES_DB: name,
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    PORT: "0",
  };
}
