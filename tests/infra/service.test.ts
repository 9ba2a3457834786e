import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { only, PROJECT, programOf, STACKS } from "./declared-program.ts";

const BOUNDS = { production: [2, 10], staging: [1, 2] } as const;

for (const stack of STACKS) {
  describe(`The service of stack ${stack}`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    it("is waited for until steady, and a deployment that fails rolls back", () => {
      const { inputs, options } = only(program, "Service");
      assert.equal(inputs.waitForSteadyState, true);
      assert.deepEqual(inputs.deploymentCircuitBreaker, { enable: true, rollback: true });
      assert.equal(inputs.deploymentMinimumHealthyPercent, 100);
      assert.equal(inputs.deploymentMaximumPercent, 200);
      assert.deepEqual(options.customTimeouts, { create: "30m", update: "30m", delete: "" });
    });

    it("runs on Fargate, pinned to a platform version, without a way in for commands", () => {
      const { launchType, platformVersion, enableExecuteCommand } = only(program, "Service").inputs;
      assert.deepEqual(
        { launchType, platformVersion, enableExecuteCommand },
        { launchType: "FARGATE", platformVersion: "1.4.0", enableExecuteCommand: false },
      );
    });

    it("spreads its tasks over the zones again after one was lost, and gives them its tags", () => {
      const { availabilityZoneRebalancing, propagateTags, enableEcsManagedTags } = only(program, "Service").inputs;
      assert.deepEqual(
        { availabilityZoneRebalancing, propagateTags, enableEcsManagedTags },
        { availabilityZoneRebalancing: "ENABLED", propagateTags: "SERVICE", enableEcsManagedTags: true },
      );
    });

    it("counts the revisions of its task under a name of its own", () => {
      assert.equal(only(program, "TaskDefinition").inputs.family, `${PROJECT}-${stack}-service`);
    });

    it("leaves its count to autoscaling, between the declared bounds, on CPU", () => {
      const [least, most] = BOUNDS[stack];
      const service = only(program, "Service");
      assert.equal(service.inputs.desiredCount, least);
      assert.deepEqual(service.options.ignoreChanges, ["desiredCount"]);
      const resourceId = `service/${only(program, "Cluster").outputs.name}/${service.outputs.name}`;
      assert.deepEqual(only(program, "Target").inputs, {
        serviceNamespace: "ecs",
        scalableDimension: "ecs:service:DesiredCount",
        resourceId,
        minCapacity: least,
        maxCapacity: most,
      });
      assert.deepEqual(only(program, "Policy").inputs, {
        policyType: "TargetTrackingScaling",
        serviceNamespace: "ecs",
        scalableDimension: "ecs:service:DesiredCount",
        resourceId,
        targetTrackingScalingPolicyConfiguration: {
          predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
          targetValue: 60,
        },
      });
    });

    it("runs its containers under the task role and starts them under the execution role, two different ones", () => {
      const { taskRoleArn, executionRoleArn, networkMode, requiresCompatibilities } = only(
        program,
        "TaskDefinition",
      ).inputs;
      assert.equal(taskRoleArn, only(program, "Role", "service-task").outputs.arn);
      assert.equal(executionRoleArn, only(program, "Role", "service-execution").outputs.arn);
      assert.notEqual(taskRoleArn, executionRoleArn);
      assert.deepEqual(
        { networkMode, requiresCompatibilities },
        { networkMode: "awsvpc", requiresCompatibilities: ["FARGATE"] },
      );
      assert.equal(only(program, "Service").inputs.taskDefinition, only(program, "TaskDefinition").outputs.arn);
      assert.equal(only(program, "Service").inputs.iamRole, undefined);
    });

    it("has the CPU and memory that are configured", () => {
      const { cpu, memory } = only(program, "TaskDefinition").inputs;
      assert.deepEqual({ cpu, memory }, { cpu: "512", memory: "1024" });
    });
  });
}
