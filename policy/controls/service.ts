import { type Control, every, mustBeOneOf, mustNotBeTrue, unless, wrong } from "../control.ts";

const SERVICE = "aws:ecs/service:Service";

/** How ECS runs the containers. */
export const SERVICE_CONTROLS: readonly Control[] = [
  {
    id: "service-no-public-address",
    title: "Tasks have no public address",
    sources: ["ECS.2", "CKV_AWS_333", "ecs_service_no_assign_public_ip"],
    severity: "high",
    selects: every(SERVICE),
    check: ({ fields }) => {
      const network = fields.object("networkConfiguration");
      return unless(!network.isTrue("assignPublicIp"), "networkConfiguration.assignPublicIp", true, "false");
    },
  },
  {
    id: "service-exec-off",
    title: "Nobody can open a shell in a running task",
    sources: ['"Monitor Amazon ECS containers with ECS Exec"'],
    severity: "medium",
    selects: every(SERVICE),
    check: mustNotBeTrue("enableExecuteCommand"),
  },
  {
    id: "service-current-platform",
    title: "Tasks run on Fargate's current platform version, by its number",
    sources: ["ECS.10", "CKV_AWS_332"],
    severity: "medium",
    selects: every(SERVICE),
    check: mustBeOneOf("platformVersion", ["1.4.0"]),
  },
  {
    id: "service-rolls-back",
    title: "A deployment that fails is rolled back",
    sources: ['"How the Amazon ECS deployment circuit breaker detects failures"'],
    severity: "medium",
    selects: every(SERVICE),
    check: ({ fields }) => {
      const breaker = fields.object("deploymentCircuitBreaker");
      return ["enable", "rollback"].flatMap((setting) =>
        unless(breaker.isTrue(setting), `deploymentCircuitBreaker.${setting}`, breaker.value(setting), "true"),
      );
    },
  },
  {
    id: "service-insights",
    title: "Container Insights shows what tasks run, and should",
    sources: ["ECS.12", "CKV_AWS_65", "AVD-AWS-0034", "AwsSolutions-ECS4", "ecs_cluster_container_insights_enabled"],
    severity: "medium",
    selects: every("aws:ecs/cluster:Cluster"),
    check: ({ fields }) => {
      const setting = fields.list("settings").find((candidate) => candidate.text("name") === "containerInsights");
      const value = setting?.text("value");
      return value === "enabled" || value === "enhanced"
        ? []
        : [wrong("settings containerInsights", value, "enabled, enhanced")];
    },
  },
];
