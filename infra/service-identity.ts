import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { lookUpAccount } from "./account.ts";
import { type Account, startTask, trustEcsTasks } from "./iam.ts";
import { logGroup } from "./log-groups.ts";
import { role } from "./roles.ts";
import { type Hop, securityGroup } from "./security-groups.ts";

export interface ServiceIdentityArgs {
  /** VPC that the tasks run in. A change replaces the security group, and so rolls the service. */
  readonly vpcId: pulumi.Input<string>;
  /** ARN of the one repository that tasks pull from. A change takes effect in place. */
  readonly repositoryArn: pulumi.Input<string>;
  /** Days that the service's log is kept, a value that CloudWatch Logs knows. Default 365. A change takes effect in place. */
  readonly logRetentionDays?: number;
  /** Whether the log stays when the stack goes. Default false. */
  readonly retainLogs?: boolean;
  /** ARN of the managed policy that bounds both roles. Default none. A change takes effect in place. */
  readonly permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /** Account that tasks must be of. Default: looked up with the component's own provider. */
  readonly account?: pulumi.Input<Account>;
}

/**
 * Who the service is, apart from what it runs: its roles, its security group, its log group. It exists before the service, so
 * that others can grant it things that the service then waits for.
 */
export class ServiceIdentity extends pulumi.ComponentResource {
  /** Role of the running containers. It holds what others grant it, and nothing of its own. */
  readonly taskRole: aws.iam.Role;
  /** Role of ECS while it starts a task: pulls the image, writes logs. */
  readonly executionRole: aws.iam.Role;
  readonly securityGroup: aws.ec2.SecurityGroup;
  readonly logGroup: aws.cloudwatch.LogGroup;
  /** The service's place in the chain of security groups. */
  readonly hop: Hop;
  /** What must exist before a task can start. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: ServiceIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:ServiceIdentity", name, {}, opts);
    const { permissionsBoundaryArn, logRetentionDays = 365, retainLogs } = args;
    const account = pulumi.output(args.account ?? lookUpAccount({ parent: this }));
    const ofTasks = { trust: account.apply(trustEcsTasks), permissionsBoundaryArn };
    this.taskRole = role(`${name}-task`, ofTasks, { parent: this });
    this.executionRole = role(`${name}-execution`, ofTasks, { parent: this });
    this.securityGroup = securityGroup(
      name,
      { description: "The service: load balancer in, proxy and endpoints out", vpcId: args.vpcId },
      { parent: this },
    );
    this.hop = { name, securityGroupId: this.securityGroup.id };
    this.logGroup = logGroup(name, { logRetentionDays, retainLogs }, { parent: this });
    const policy = pulumi
      .all([args.repositoryArn, this.logGroup.arn])
      .apply(([repository, logs]) => JSON.stringify(startTask(repository, logs)));
    const start = new aws.iam.RolePolicy(`${name}-start`, { role: this.executionRole.name, policy }, { parent: this });
    this.ready = [start];
    this.registerOutputs({ taskRoleArn: this.taskRole.arn, executionRoleArn: this.executionRole.arn });
  }
}
