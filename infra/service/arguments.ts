import type * as pulumi from "@pulumi/pulumi";
import type { BaseImage } from "../bundle.ts";
import type { ConnectGrant } from "../proxy/arguments.ts";
import type { Hop } from "../security-groups.ts";
import type { Timeouts } from "../timeouts.ts";

/** Processor of the image's platform and of the tasks alike. */
export type CpuArchitecture = "ARM64" | "X86_64";

/** How large the tasks are, and how many. A change rolls the service, which keeps answering. */
export interface ServiceSize {
  /** Processor of the tasks; the image must be built for it. */
  readonly cpuArchitecture: CpuArchitecture;
  /** CPU units of a task; 1,024 is one vCPU. One of Fargate's sizes ("Task CPU and memory"). */
  readonly cpu: number;
  /** Memory of a task in MiB, of those that Fargate allows with `cpu`. */
  readonly memoryMiB: number;
  /** Fewest tasks that autoscaling keeps; the count of the first deployment. */
  readonly minTasks: number;
  /** Most tasks that autoscaling runs. */
  readonly maxTasks: number;
  /** Average CPU that autoscaling aims for, in percent. */
  readonly targetCpuPercent: number;
  /** Physical connections that one task may hold. */
  readonly poolSize: number;
}

/** Who the tasks are. `ServiceIdentity` is one. */
export interface TaskIdentity {
  /** Role of the running containers. */
  readonly taskRole: { readonly arn: pulumi.Input<string> };
  /** Role of ECS while it starts a task. */
  readonly executionRole: { readonly arn: pulumi.Input<string> };
  /** On the tasks' network interfaces. */
  readonly securityGroup: { readonly id: pulumi.Input<string> };
  /** The same group as a place in the chain of security groups. */
  readonly hop: Hop;
  /** Where the containers write their logs. */
  readonly logGroup: { readonly name: pulumi.Input<string> };
  /** What must exist before a task can start. */
  readonly ready: readonly pulumi.Resource[];
}

/** Where the tasks run. `Network` is one. */
export interface TaskNetwork {
  /** Two subnets or more in different zones. A change rolls the service. */
  readonly isolatedSubnetIds: pulumi.Input<string[]>;
  /** Opens what a task needs to pull its image and write its logs, and returns what must exist before it starts. */
  grantTaskStart(tasks: Hop): readonly pulumi.Resource[];
}

/** Where requests come from. `LoadBalancer` is one. */
export interface TaskEntrance {
  /** Target group, of type `ip`, that the tasks register with. A change replaces the service. */
  readonly targetGroupArn: pulumi.Input<string>;
  /** What must exist before tasks may register. */
  readonly ready: readonly pulumi.Resource[];
  /** Opens the way to the tasks' port and returns the rules. */
  openTo(tasks: Hop): readonly pulumi.Resource[];
}

/** What the tasks run. `ApplicationImage` is one. */
export interface TaskImage {
  /** The image, pinned by digest. A change rolls the service. */
  readonly reference: pulumi.Input<string>;
  /** What it was built on, for the containers' labels. */
  readonly base: BaseImage;
}

export interface ServiceArgs {
  /** How large the tasks are, and how many. */
  readonly service: ServiceSize;
  /** The time limits of the containers, in seconds; `nestingMistakes` tells whether they nest. A change rolls the service. */
  readonly timeouts: Timeouts;
  /** Roles, security group and log group of the tasks. Other roles or another group roll the service. */
  readonly identity: TaskIdentity;
  /** Leave to connect: the service starts only after everything that the grant needs exists. */
  readonly database: ConnectGrant;
  /** What the tasks run: the migration first, then the service. */
  readonly image: TaskImage;
  /** Where the tasks run, without a public address. */
  readonly network: TaskNetwork;
  /** Where requests come from; a task gets none before it answers the load balancer's health check. */
  readonly loadBalancer: TaskEntrance;
  /** Region that tokens are signed for: the database's and the service's alike. */
  readonly region: pulumi.Input<string>;
}
