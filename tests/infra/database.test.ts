import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { ofType, only, programOf, STACKS } from "./declared-program.ts";

describe("The database", () => {
  for (const stack of STACKS) {
    it(`is an encrypted, private PostgreSQL 17 that nobody logs in to with a token (${stack})`, async () => {
      const program = await programOf(stack);
      const { inputs } = only(program, "Instance");
      const { engine, engineVersion, storageEncrypted, publiclyAccessible, iamDatabaseAuthenticationEnabled } = inputs;
      assert.deepEqual(
        { engine, engineVersion, storageEncrypted, publiclyAccessible, iamDatabaseAuthenticationEnabled },
        {
          engine: "postgres",
          engineVersion: "17",
          storageEncrypted: true,
          publiclyAccessible: false,
          iamDatabaseAuthenticationEnabled: false,
        },
      );
      assert.equal(inputs.kmsKeyId, only(program, "Key", "database-storage").outputs.arn);
      assert.equal(inputs.masterUserSecretKmsKeyId, only(program, "Key", "database-secret").outputs.arn);
      assert.equal(inputs.port, 5432);
      assert.equal(inputs.skipFinalSnapshot, false);
    });
  }

  const parameters = (program: Program) => {
    const { family, parameters } = only(program, "ParameterGroup").inputs;
    return { family, parameters };
  };

  for (const [stack, maxConnections] of [
    ["production", "400"],
    ["staging", "200"],
  ] as const) {
    it(`speaks TLS only and has the ${maxConnections} connections that are configured (${stack})`, async () => {
      const program = await programOf(stack);
      assert.deepEqual(parameters(program), {
        family: "postgres17",
        parameters: [
          { name: "rds.force_ssl", value: "1" },
          { name: "max_connections", value: maxConnections, applyMethod: "pending-reboot" },
        ],
      });
      assert.equal(only(program, "Instance").inputs.parameterGroupName, only(program, "ParameterGroup").outputs.name);
    });
  }

  it("is guarded in production: standby, backups, and no deletion by AWS or by Pulumi", async () => {
    const { inputs, options } = only(await programOf("production"), "Instance");
    const { multiAz, backupRetentionPeriod, deletionProtection } = inputs;
    assert.deepEqual(
      { multiAz, backupRetentionPeriod, deletionProtection, protect: options.protect },
      { multiAz: true, backupRetentionPeriod: 14, deletionProtection: true, protect: true },
    );
  });

  it("can be thrown away in staging", async () => {
    const { inputs, options } = only(await programOf("staging"), "Instance");
    const { multiAz, backupRetentionPeriod, deletionProtection } = inputs;
    assert.deepEqual(
      { multiAz, backupRetentionPeriod, deletionProtection, protect: options.protect },
      { multiAz: false, backupRetentionPeriod: 1, deletionProtection: false, protect: false },
    );
  });

  it("is the only protected resource of production", async () => {
    const { resources } = await programOf("production");
    assert.deepEqual(
      resources.filter(({ options }) => options.protect).map(({ type }) => type),
      ["aws:rds/instance:Instance"],
    );
  });

  it("writes its exported logs to groups that have a retention before AWS would make them without", async () => {
    for (const [stack, days] of [
      ["production", 365],
      ["staging", 30],
    ] as const) {
      const program = await programOf(stack);
      const { identifier, enabledCloudwatchLogsExports: exports } = only(program, "Instance").inputs;
      assert.deepEqual(exports, ["postgresql", "upgrade"]);
      for (const log of exports as string[]) {
        const { inputs } = only(program, "LogGroup", `database-${log}`);
        assert.deepEqual(inputs, { name: `/aws/rds/instance/${identifier}/${log}`, retentionInDays: days });
      }
      assert.equal(ofType(program, "LogGroup").length, 5);
      for (const group of ofType(program, "LogGroup")) assert.equal(group.inputs.retentionInDays, days, group.name);
    }
  });

  it("has another identifier when its user or its database is another, since either replaces it", async () => {
    const configs: readonly Readonly<Record<string, string>>[] = [
      {},
      { databaseUser: "other_owner" },
      { databaseName: "other" },
    ];
    const identifiers = await Promise.all(
      configs.map(async (config) => {
        return only(await programOf("staging", config), "Instance").inputs.identifier;
      }),
    );
    assert.equal(new Set(identifiers).size, 3);
  });
});
