import { z } from "zod";

// What of AWS's answers a smoke test reads; anything else in them is left alone.

/** Answer of `aws ecs describe-services` for one service. */
export const SERVICES = z.object({
  services: z
    .array(
      z.object({
        status: z.string(),
        desiredCount: z.number(),
        runningCount: z.number(),
        taskDefinition: z.string(),
        deployments: z.array(z.object({ status: z.string(), rolloutState: z.string().optional() })),
        loadBalancers: z.array(z.object({ targetGroupArn: z.string().optional() })),
      }),
    )
    .length(1),
});

/** Answer of `aws ecs list-tasks`. */
export const TASK_ARNS = z.object({ taskArns: z.array(z.string()) });

/** Answer of `aws ecs describe-tasks`. */
export const TASKS = z.object({
  tasks: z.array(
    z.object({
      taskArn: z.string(),
      lastStatus: z.string(),
      taskDefinitionArn: z.string(),
      containers: z.array(
        z.object({
          name: z.string(),
          lastStatus: z.string(),
          exitCode: z.number().optional(),
          imageDigest: z.string().optional(),
        }),
      ),
    }),
  ),
});

/** Answer of `aws elbv2 describe-target-health`. */
export const TARGETS = z.object({
  TargetHealthDescriptions: z.array(
    z.object({
      Target: z.object({ Id: z.string(), Port: z.number().optional() }),
      TargetHealth: z.object({ State: z.string(), Description: z.string().optional() }),
    }),
  ),
});

/** What AWS says of a deployed service at one moment. */
export interface Observation {
  readonly service: z.infer<typeof SERVICES>["services"][number];
  readonly tasks: z.infer<typeof TASKS>["tasks"];
  readonly targets: z.infer<typeof TARGETS>["TargetHealthDescriptions"];
}
