import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { describe, it } from "mocha";
import { ConfigurationError, readConfiguration } from "../../app/config.ts";
import { PRODUCTION } from "./production-environment.ts";

const DEVELOPMENT = {
  ENV: "development",
  DB_HOST: "127.0.0.1",
  POSTGRES_DB: "app",
  POSTGRES_USER: "app",
  POSTGRES_PASSWORD: "s3cret-word",
};

type Environment = Readonly<Record<string, string | undefined>>;

function mistakesOf(environment: Environment): readonly string[] {
  try {
    readConfiguration(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    assert.equal(error.code, "CONFIGURATION");
    for (const mistake of error.mistakes) assert.ok(error.message.includes(mistake));
    return error.mistakes;
  }
  return [];
}

describe("The environment of the service", () => {
  it("gives a production configuration without any password", () => {
    assert.deepEqual(readConfiguration(PRODUCTION), {
      port: 8080,
      listenHost: "0.0.0.0",
      logLevel: "info",
      requestDeadlineSeconds: 100,
      keepAliveSeconds: 130,
      drainSeconds: 110,
      migrationDeadlineSeconds: 110,
      database: {
        authentication: "iam",
        host: "db.proxy-abc.eu-west-2.rds.amazonaws.com",
        port: 5432,
        name: "app",
        user: "app_master",
        poolSize: 8,
        acquireSeconds: 90,
        region: "eu-west-2",
        connectRetrySeconds: 60,
        lifetimeSeconds: 1500,
      },
    });
  });

  it("gives a development configuration with defaults and none of the production pool's settings", () => {
    const environment = { ...DEVELOPMENT, DB_CONNECT_RETRY_SECONDS: "60", DB_CONNECTION_LIFETIME_SECONDS: "1500" };
    assert.deepEqual(readConfiguration(environment), {
      port: 8080,
      listenHost: "127.0.0.1",
      logLevel: "info",
      requestDeadlineSeconds: 30,
      keepAliveSeconds: 60,
      drainSeconds: 10,
      migrationDeadlineSeconds: 60,
      database: {
        authentication: "password",
        host: "127.0.0.1",
        port: 5432,
        name: "app",
        user: "app",
        poolSize: 10,
        acquireSeconds: 10,
        password: "s3cret-word",
      },
    });
  });

  const cases: readonly [string, Environment, RegExp][] = [
    ["an unknown ENV", { ...PRODUCTION, ENV: "staging" }, /^ENV is "staging": it must be production or development$/],
    ["no ENV", { ...PRODUCTION, ENV: undefined }, /^ENV is missing: it must be production or development$/],
    ["a URL for a host", { ...PRODUCTION, DB_HOST: "postgres://h" }, /^DB_HOST is "postgres:\/\/h": it must be a host/],
    ["an empty host", { ...PRODUCTION, DB_HOST: "" }, /^DB_HOST is "": it must be a host/],
    ["a port out of range", { ...PRODUCTION, DB_PORT: "70000" }, /^DB_PORT is "70000": .*from 1 to 65535/],
    ["a port that is no number", { ...PRODUCTION, PORT: "http" }, /^PORT is "http": .*from 0 to 65535/],
    ["an unknown log level", { ...PRODUCTION, LOG_LEVEL: "loud" }, /^LOG_LEVEL is "loud": it must be one of fatal,/],
    ["no database", { ...PRODUCTION, POSTGRES_DB: undefined }, /^POSTGRES_DB is missing: it must be the name/],
    ["no user", { ...PRODUCTION, POSTGRES_USER: undefined }, /^POSTGRES_USER is missing: it must be the name/],
    ["no region", { ...PRODUCTION, AWS_REGION: undefined }, /^AWS_REGION is missing: it must be an AWS region/],
    ["a region that is none", { ...PRODUCTION, AWS_REGION: "London" }, /^AWS_REGION is "London": it must be an AWS/],
    ["no password in development", { ...DEVELOPMENT, POSTGRES_PASSWORD: undefined }, /^POSTGRES_PASSWORD is missing/],
    ["an empty password in development", { ...DEVELOPMENT, POSTGRES_PASSWORD: "" }, /^POSTGRES_PASSWORD is empty/],
    ["zero seconds", { ...DEVELOPMENT, DRAIN_SECONDS: "0" }, /^DRAIN_SECONDS is "0": it must be an integer from 1/],
    ["a fraction", { ...DEVELOPMENT, DB_ACQUIRE_SECONDS: "1.5" }, /^DB_ACQUIRE_SECONDS is "1.5": it must be an int/],
    ...Object.keys(PRODUCTION)
      .filter((name) => /_SECONDS$|_SIZE$/.test(name))
      .map((name): [string, Environment, RegExp] => [
        `no ${name} in production`,
        { ...PRODUCTION, [name]: undefined },
        new RegExp(`^${name} is missing: it must be an integer from 1`),
      ]),
  ];
  for (const [what, environment, expected] of cases) {
    it(`refuses ${what}, and nothing else with it`, () => {
      const mistakes = mistakesOf(environment);
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0] ?? "", expected);
    });
  }

  for (const name of ["POSTGRES_PASSWORD", "PGPASSWORD"]) {
    it(`refuses ${name} in production without repeating it`, () => {
      const [mistake, ...others] = mistakesOf({ ...PRODUCTION, [name]: "hunter2" });
      assert.equal(
        mistake,
        `${name} is set: it must be absent in production: the service authenticates with IAM tokens only`,
      );
      assert.deepEqual(others, []);
      assert.match(mistakesOf({ ...PRODUCTION, [name]: "" })[0] ?? "", new RegExp(`^${name} is empty`));
    });
  }

  it("reports every mistake at once", () => {
    const mistakes = mistakesOf({
      ...PRODUCTION,
      DB_HOST: "a b",
      DB_PORT: "x",
      PGPASSWORD: "hunter2",
      AWS_REGION: undefined,
      DB_POOL_SIZE: "-1",
    });
    const names = mistakes.map((mistake) => mistake.split(" ")[0]).sort();
    assert.deepEqual(names, ["AWS_REGION", "DB_HOST", "DB_POOL_SIZE", "DB_PORT", "PGPASSWORD"]);
    assert.ok(!mistakes.join().includes("hunter2"));
  });

  it("judges what is there when ENV itself is not usable, and asks for nothing that ENV would decide", () => {
    const mistakes = mistakesOf({
      ENV: "prod",
      DB_POOL_SIZE: "many",
      POSTGRES_DB: "a",
      POSTGRES_USER: "b",
      DB_HOST: "h",
    });
    assert.deepEqual(mistakes.map((mistake) => mistake.split(" ")[0]).sort(), ["DB_POOL_SIZE", "ENV"]);
  });

  it("is usable as the example for developers has it", () => {
    const example = readFileSync(new URL("../../.env.development.example", import.meta.url), "utf8");
    assert.deepEqual(mistakesOf(parseEnv(example)), []);
    const uncommented = example.replaceAll(/^# (?=[A-Z_]+=)/gm, "");
    assert.deepEqual(readConfiguration(parseEnv(uncommented)), readConfiguration(parseEnv(example)));
    assert.match(uncommented, /^DB_ACQUIRE_SECONDS=10$/m);
  });
});
