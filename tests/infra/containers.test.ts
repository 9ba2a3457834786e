import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ConfigurationError, readConfiguration } from "../../app/config.ts";
import { containerOf, containersOf, environmentOf, only, programOf, STACKS } from "./declared-program.ts";

/** Variables that the SDK reads, and the application does not. */
const READ_BY_THE_SDK = ["AWS_EC2_METADATA_DISABLED"];

for (const stack of STACKS) {
  describe(`The containers of stack ${stack}`, () => {
    it("are the migration, which must succeed first, and then the service", async () => {
      const [migrate, service, ...others] = containersOf(await programOf(stack));
      assert.ok(migrate && service);
      assert.deepEqual([migrate.name, migrate.essential, migrate.dependsOn], ["migrate", false, undefined]);
      assert.deepEqual([service.name, service.essential], ["service", true]);
      assert.deepEqual(service.dependsOn, [{ containerName: "migrate", condition: "SUCCESS" }]);
      assert.equal(migrate.startTimeout, 120);
      assert.deepEqual((migrate.command as string[]).slice(-1), ["migrate"]);
      assert.deepEqual((service.command as string[]).slice(-1), ["serve"]);
      assert.deepEqual(others, []);
    });

    it("are not root, write nowhere, hold no capability, open a limited number of files and are told no secret", async () => {
      for (const container of containersOf(await programOf(stack))) {
        assert.equal(container.user, "1000:1000");
        assert.equal(container.readonlyRootFilesystem, true);
        assert.notEqual(container.privileged, true);
        assert.deepEqual(container.linuxParameters, { capabilities: { drop: ["ALL"] }, initProcessEnabled: true });
        assert.deepEqual(container.ulimits, [{ name: "nofile", softLimit: 8_192, hardLimit: 8_192 }]);
        assert.equal(container.secrets, undefined);
        assert.equal(container.mountPoints, undefined);
      }
    });

    it("write to the service's log group, each in a stream of its own", async () => {
      const program = await programOf(stack);
      const group = only(program, "LogGroup", "service").outputs.name;
      const streams = containersOf(program).map(({ logConfiguration }) => {
        const { logDriver, options } = logConfiguration as { logDriver: string; options: Record<string, string> };
        assert.equal(logDriver, "awslogs");
        assert.equal(options["awslogs-group"], group);
        assert.equal(options["awslogs-region"], "eu-west-2");
        assert.equal(options.mode, "non-blocking");
        return options["awslogs-stream-prefix"];
      });
      assert.deepEqual(streams, ["migrate", "service"]);
    });

    it("publish the one port that the load balancer forwards to", async () => {
      const program = await programOf(stack);
      assert.equal(containerOf(program, "migrate").portMappings, undefined);
      assert.deepEqual(containerOf(program, "service").portMappings, [{ containerPort: 8080, protocol: "tcp" }]);
      assert.equal(environmentOf(containerOf(program, "service")).PORT, "8080");
      assert.equal(only(program, "TargetGroup").inputs.port, 8080);
      const [target] = only(program, "Service").inputs.loadBalancers as readonly Record<string, unknown>[];
      assert.deepEqual([target?.containerName, target?.containerPort], ["service", 8080]);
    });

    it("have an environment that the application's own parser takes", async () => {
      const program = await programOf(stack);
      for (const container of containersOf(program)) {
        const configuration = readConfiguration({ ...environmentOf(container) });
        const { database } = configuration;
        assert.equal(database.authentication, "iam");
        assert.equal(database.host, only(program, "Proxy").outputs.endpoint);
        assert.equal(database.port, 5432);
        assert.equal(database.user, only(program, "Instance").inputs.username);
        assert.equal(database.name, only(program, "Instance").inputs.dbName);
        assert.deepEqual(
          [database.region, database.lifetimeSeconds, database.connectRetrySeconds, database.poolSize],
          ["eu-west-2", 1_500, 60, 10],
        );
        assert.equal(configuration.requestDeadlineSeconds, 100);
        assert.equal(configuration.drainSeconds, 110);
      }
    });

    it("have an environment of which the application reads every variable", async () => {
      const environment = environmentOf(containerOf(await programOf(stack), "service"));
      for (const name of Object.keys(environment).filter((variable) => !READ_BY_THE_SDK.includes(variable))) {
        // What the parser reads, it refuses when it is nonsense.
        assert.throws(
          () => readConfiguration({ ...environment, [name]: "\0" }),
          (error) => error instanceof ConfigurationError && error.message.includes(name),
          `${name} is declared, but the application does not read it`,
        );
      }
    });

    it("look for credentials at the task's endpoint only, never at an EC2 instance's", async () => {
      for (const container of containersOf(await programOf(stack))) {
        assert.equal(environmentOf(container).AWS_EC2_METADATA_DISABLED, "true", container.name);
      }
    });

    it("are refused by the application as soon as someone adds a password", async () => {
      const environment = environmentOf(containerOf(await programOf(stack), "service"));
      for (const variable of ["POSTGRES_PASSWORD", "PGPASSWORD"]) {
        assert.throws(
          () => readConfiguration({ ...environment, [variable]: "hunter2" }),
          (error) =>
            error instanceof ConfigurationError &&
            error.message.includes(variable) &&
            !error.message.includes("hunter2"),
        );
      }
    });
  });
}
