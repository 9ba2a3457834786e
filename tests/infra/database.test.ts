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
    const { multiAz, backupRetentionPeriod, deletionProtection, deleteAutomatedBackups } = inputs;
    assert.deepEqual(
      { multiAz, backupRetentionPeriod, deletionProtection, deleteAutomatedBackups, protect: options.protect },
      {
        multiAz: true,
        backupRetentionPeriod: 14,
        deletionProtection: true,
        deleteAutomatedBackups: false,
        protect: true,
      },
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

  for (const stack of STACKS) {
    it(`is watched every minute from outside and from inside, under its own key (${stack})`, async () => {
      const program = await programOf(stack);
      const { inputs, dependencies } = only(program, "Instance");
      const { databaseInsightsMode, performanceInsightsEnabled, performanceInsightsRetentionPeriod } = inputs;
      assert.deepEqual(
        { databaseInsightsMode, performanceInsightsEnabled, performanceInsightsRetentionPeriod },
        {
          databaseInsightsMode: "standard",
          performanceInsightsEnabled: true,
          performanceInsightsRetentionPeriod: 7,
        },
      );
      assert.equal(inputs.performanceInsightsKmsKeyId, only(program, "Key", "database-storage").outputs.arn);
      assert.equal(inputs.monitoringInterval, 60);
      assert.equal(inputs.monitoringRoleArn, only(program, "Role", "database-monitoring").outputs.arn);
      const attachment = only(program, "RolePolicyAttachment", "database-monitoring");
      assert.ok(dependencies.includes(attachment.urn), "it would be monitored before its role may write");
    });

    it(`tells the topic of what changes or ends its service, and of nothing else in the account (${stack})`, async () => {
      const program = await programOf(stack);
      const { inputs, dependencies } = only(program, "EventSubscription");
      assert.deepEqual(inputs, {
        snsTopic: only(program, "Topic").outputs.arn,
        sourceType: "db-instance",
        sourceIds: [only(program, "Instance").inputs.identifier],
        eventCategories: [
          "availability",
          "configuration change",
          "deletion",
          "failover",
          "failure",
          "low storage",
          "maintenance",
          "notification",
          "recovery",
        ],
      });
      assert.ok(dependencies.includes(only(program, "TopicPolicy").urn), "RDS checks that it may publish");
    });
  }

  it("has the monitoring policy of its partition", async () => {
    for (const [region, partition] of [
      ["cn-north-1", "aws-cn"],
      ["us-gov-west-1", "aws-us-gov"],
    ] as const) {
      const { inputs } = only(await programOf("staging", { "aws:region": region }), "RolePolicyAttachment");
      assert.equal(inputs.policyArn, `arn:${partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole`);
    }
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
