import { SERVICE_CONTAINER } from "../../infra/containers.ts";
import type { Observation } from "./answers.ts";

/** Targets that have served and are leaving, which no deployment has to wait for. */
const LEAVING: ReadonlySet<string> = new Set(["draining", "unused"]);

/**
 * What speaks against a deployment, one sentence each; nothing when it is as it should be.
 *
 * A target is healthy only when a task answered the load balancer, and a task answers only after its migration and its first query
 * succeeded: through the proxy, with a token that its role signed. So a healthy target shows the whole way from the load balancer to
 * the database, also where nobody outside of the VPC may call it. That each container runs the image that was tried is asked of ECS.
 *
 * @param digest the image that must run, `sha256:…`
 */
export function objections({ service, tasks, targets }: Observation, digest: string): readonly string[] {
  return [...againstService(service), ...againstTasks(service, tasks, digest), ...againstTargets(service, targets)];
}

function againstService({ status, desiredCount, runningCount, deployments }: Observation["service"]): string[] {
  const found: string[] = [];
  if (status !== "ACTIVE") found.push(`the service is ${status}, not ACTIVE`);
  if (desiredCount < 1) found.push("the service wants no task");
  if (runningCount !== desiredCount) found.push(`${runningCount} of ${desiredCount} tasks run`);
  const rollouts = deployments.map(({ status: kind, rolloutState }) => `${kind} ${rolloutState ?? "of unknown state"}`);
  if (rollouts.join() !== "PRIMARY COMPLETED") found.push(`deployments: ${rollouts.join(", ") || "none"}`);
  return found;
}

function againstTasks(
  { taskDefinition }: Observation["service"],
  tasks: Observation["tasks"],
  digest: string,
): string[] {
  const found: string[] = tasks.length === 0 ? ["no task was found"] : [];
  for (const { taskArn, lastStatus, taskDefinitionArn, containers } of tasks) {
    const task = `task ${taskArn.split("/").at(-1)}`;
    if (lastStatus !== "RUNNING") found.push(`${task} is ${lastStatus}`);
    if (taskDefinitionArn !== taskDefinition)
      found.push(`${task} is of ${taskDefinitionArn.split("/").at(-1)}, not of ${taskDefinition.split("/").at(-1)}`);
    if (!containers.some(({ name }) => name === SERVICE_CONTAINER))
      found.push(`${task} has no container ${SERVICE_CONTAINER}`);
    for (const { name, lastStatus: state, exitCode, imageDigest } of containers) {
      if (imageDigest !== digest)
        found.push(`${name} of ${task} runs ${imageDigest ?? "an unknown image"}, not ${digest}`);
      // What is not the service prepares it, and has ended well before it starts.
      const well = name === SERVICE_CONTAINER ? state === "RUNNING" : exitCode === 0;
      if (!well)
        found.push(`${name} of ${task} is ${state}${exitCode === undefined ? "" : ` with exit code ${exitCode}`}`);
    }
  }
  return found;
}

function againstTargets({ desiredCount }: Observation["service"], targets: Observation["targets"]): string[] {
  const staying = targets.filter(({ TargetHealth: { State } }) => !LEAVING.has(State));
  const healthy = staying.filter(({ TargetHealth: { State } }) => State === "healthy");
  const found = staying
    .filter((target) => !healthy.includes(target))
    .map(
      ({ Target, TargetHealth: { State, Description } }) =>
        `target ${Target.Id} is ${State}: ${Description ?? "no reason"}`,
    );
  if (healthy.length < desiredCount) found.push(`${healthy.length} of ${desiredCount} targets are healthy`);
  return found;
}
