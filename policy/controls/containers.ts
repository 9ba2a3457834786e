import { type Control, every, unless, wrong } from "../control.ts";
import type { Fields } from "../fields.ts";
import { containersOf, environmentOf, TASK_DEFINITION } from "../task.ts";

/** Names of variables that speak of a secret. */
const SECRET_NAME = /PASS(?:WORD|WD|PHRASE)|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY/i;

/** Values that are one: an access key's id, a password in a URL, a signature, a private key. */
const SECRET_VALUE =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|:\/\/[^/\s:]*:[^/\s]+@|X-Amz-Signature=|-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** What a container may do, and what it is told. */
export const CONTAINER_CONTROLS: readonly Control[] = [
  ofContainers({
    id: "containers-not-root",
    title: "No container runs as root",
    sources: ["ECS.20", '"Task definition parameters"'],
    severity: "high",
    check: (container) => {
      const user = container.text("user");
      const [name, group] = user?.split(":") ?? [];
      const other = [name, group ?? "1"].every(
        (part) => part !== undefined && part !== "" && part !== "root" && Number(part) !== 0,
      );
      return unless(other, "user", user, "a user and group other than root and 0");
    },
  }),
  ofContainers({
    id: "containers-read-only",
    title: "No container can write to its root file system",
    sources: ["ECS.5", "CKV_AWS_336", "ecs_task_definitions_containers_readonly_access"],
    severity: "high",
    check: (container) =>
      unless(
        container.isTrue("readonlyRootFilesystem"),
        "readonlyRootFilesystem",
        container.value("readonlyRootFilesystem"),
        "true",
      ),
  }),
  ofContainers({
    id: "containers-no-capabilities",
    title: "Containers drop every capability and are not privileged",
    sources: ["ECS.4", "CKV_AWS_334", "ecs_task_definitions_no_privileged_containers"],
    severity: "high",
    check: (container) => {
      const capabilities = container.object("linuxParameters").object("capabilities");
      const [drop, add] = [capabilities.texts("drop"), capabilities.texts("add")];
      return [
        ...unless(drop.includes("ALL"), "linuxParameters.capabilities.drop", drop, "ALL"),
        ...unless(add.length === 0, "linuxParameters.capabilities.add", add, "none"),
        ...unless(!container.isTrue("privileged"), "privileged", true, "false"),
      ];
    },
  }),
  ofContainers({
    id: "containers-no-secrets",
    title: "No container is told a secret in its environment",
    sources: ["ECS.8", "AVD-AWS-0036", "AwsSolutions-ECS2", "ecs_task_definitions_no_environment_secrets"],
    severity: "high",
    check: (container) =>
      [...environmentOf(container)]
        .filter(([name, value]) => SECRET_NAME.test(name) || SECRET_VALUE.test(value))
        // Never with the value.
        .map(
          ([name]) => `the variable ${name} seems to hold a secret; allowed: where and who, never with what password`,
        ),
  }),
  ofContainers({
    id: "containers-init-process",
    title: "An init process reaps what containers leave behind",
    sources: ['"Task definition parameters"'],
    severity: "low",
    check: (container) => {
      const parameters = container.object("linuxParameters");
      const enabled = parameters.value("initProcessEnabled");
      return unless(parameters.isTrue("initProcessEnabled"), "linuxParameters.initProcessEnabled", enabled, "true");
    },
  }),
  ofContainers({
    id: "containers-ulimits",
    title: "Containers have a limit of open files of their own",
    sources: ['"Task definition parameters"'],
    severity: "low",
    check: (container) => {
      const files = container.list("ulimits").find((limit) => limit.text("name") === "nofile");
      const [soft, hard] = [files?.number("softLimit"), files?.number("hardLimit")];
      return unless(
        soft !== undefined && hard !== undefined && soft > 0 && soft <= hard,
        "ulimits nofile",
        files === undefined ? undefined : `${soft} to ${hard}`,
        "a soft limit up to a hard one",
      );
    },
  }),
  ofContainers({
    id: "containers-log",
    title: "Containers write their logs to CloudWatch",
    sources: ["ECS.9", "AwsSolutions-ECS7"],
    severity: "high",
    check: (container) => {
      const driver = container.object("logConfiguration").text("logDriver");
      return unless(
        driver === "awslogs" || driver === "awsfirelens",
        "logConfiguration.logDriver",
        driver,
        "awslogs, awsfirelens",
      );
    },
  }),
  ofContainers({
    id: "containers-pinned-by-digest",
    title: "Containers run an image that is pinned by digest",
    sources: ['"Task definition parameters"'],
    severity: "medium",
    check: (container) => {
      const image = container.text("image");
      return unless(/@sha256:[0-9a-f]{64}$/.test(image ?? ""), "image", image, "…@sha256:<64 hexadecimal digits>");
    },
  }),
  {
    id: "containers-separate-roles",
    title: "The role of the containers is another than the one that starts them",
    sources: ["CKV_AWS_249"],
    severity: "medium",
    selects: every(TASK_DEFINITION),
    check: ({ fields }) => {
      const [task, execution] = [fields.text("taskRoleArn"), fields.text("executionRoleArn")];
      if (task === undefined) return [wrong("taskRoleArn", task, "a role")];
      return unless(task !== execution, "taskRoleArn", task, "another role than executionRoleArn");
    },
  },
];

/** A control on each container of each task definition; violations begin with the container's name. */
function ofContainers(
  control: Omit<Control, "selects" | "check"> & { readonly check: (container: Fields) => readonly string[] },
): Control {
  return {
    ...control,
    selects: every(TASK_DEFINITION),
    check: (task) =>
      containersOf(task).flatMap((container) =>
        control.check(container).map((violation) => `container ${container.text("name")}: ${violation}`),
      ),
  };
}
