import type { z } from "zod";
import { DeliveryError, type Run } from "../run.ts";
import { type StackOutputs, textOutput } from "../stack-outputs.ts";
import { type Observation, SERVICES, TARGETS, TASK_ARNS, TASKS } from "./answers.ts";

/** Most tasks that ECS describes at once ("DescribeTasks", Amazon ECS API reference). */
const DESCRIBED_TASKS = 100;

/**
 * Asks AWS how a deployed service is, with the AWS command line.
 *
 * @param outputs of the stack: `region`, `clusterName`, `serviceName`
 * @throws DeliveryError when AWS does not answer, or not as documented
 */
export async function observe(outputs: StackOutputs, run: Run): Promise<Observation> {
  const cluster = textOutput(outputs, "clusterName");
  const name = textOutput(outputs, "serviceName");
  const ask = asking(textOutput(outputs, "region"), run);
  const { services } = await ask(SERVICES, "ecs", "describe-services", "--cluster", cluster, "--services", name);
  const [service] = services as [Observation["service"]];
  const targetGroup = service.loadBalancers[0]?.targetGroupArn;
  if (targetGroup === undefined) throw new DeliveryError(`service ${name} has no target group`);
  const { taskArns } = await ask(TASK_ARNS, "ecs", "list-tasks", "--cluster", cluster, "--service-name", name);
  const chosen = taskArns.slice(0, DESCRIBED_TASKS);
  const described =
    chosen.length === 0
      ? { tasks: [] }
      : await ask(TASKS, "ecs", "describe-tasks", "--cluster", cluster, "--tasks", ...chosen);
  const health = await ask(TARGETS, "elbv2", "describe-target-health", "--target-group-arn", targetGroup);
  return { service, tasks: described.tasks, targets: health.TargetHealthDescriptions };
}

function asking(region: string, run: Run) {
  return async <T>(form: z.ZodType<T>, service: string, operation: string, ...args: readonly string[]): Promise<T> => {
    const text = await run("aws", [service, operation, "--region", region, "--output", "json", ...args]);
    try {
      return form.parse(JSON.parse(text));
    } catch (cause) {
      throw new DeliveryError(`aws ${service} ${operation} answered otherwise than documented: ${text.slice(0, 500)}`, {
        cause,
      });
    }
  };
}
