/** What the smoke test after a deployment asks of AWS (`delivery/smoke/`), beside what the resources need. */
export const DELIVERY_ACTIONS = [
  "ecs:DescribeServices",
  "ecs:DescribeTasks",
  "ecs:ListTasks",
  "elasticloadbalancing:DescribeTargetHealth",
] as const;
