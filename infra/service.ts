import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { containerDefinitions, SERVICE_CONTAINER, SERVICE_PORT } from "./containers.ts";
import { stackPrefix } from "./names.ts";
import type { ServiceArgs, ServiceSize } from "./service/arguments.ts";

export type { ServiceArgs };

/** Fargate's platform version: "latest" would let two deployments of one program differ. */
const PLATFORM_VERSION = "1.4.0";

/** `ROLLING_DEPLOYMENT_FACTOR` of capacity.ts in percent: as many new tasks beside the old ones. */
const DEPLOYMENT_MAXIMUM_PERCENT = 200;

/** A deployment pulls the image, migrates and waits for health; after this many minutes it counts as failed. */
const STEADY_STATE_TIMEOUT = "30m";

/** The service on ECS Fargate: rolled out with a circuit breaker, waited for until steady, scaled on CPU. */
export class Service extends pulumi.ComponentResource {
  readonly clusterName: pulumi.Output<string>;
  readonly serviceName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:Service", name, {}, opts);
    const cluster = new aws.ecs.Cluster(
      name,
      // How many tasks run, and should: CloudWatch knows it from nowhere else.
      { settings: [{ name: "containerInsights", value: "enabled" }] },
      { parent: this },
    );
    const taskDefinition = this.#createTaskDefinition(name, args);
    const service = this.#createService(name, args, cluster, taskDefinition);
    this.clusterName = cluster.name;
    this.serviceName = service.name;
    this.arn = service.arn;
    this.#scaleOnCpu(name, args.service);
    this.registerOutputs({ clusterName: this.clusterName, serviceName: this.serviceName });
  }

  #createTaskDefinition(name: string, args: ServiceArgs): aws.ecs.TaskDefinition {
    const { identity, image, service } = args;
    return new aws.ecs.TaskDefinition(
      name,
      {
        // Revisions are counted by family, so no two services may share one.
        family: `${stackPrefix()}-${name}`,
        requiresCompatibilities: ["FARGATE"],
        networkMode: "awsvpc",
        cpu: String(service.cpu),
        memory: String(service.memoryMiB),
        runtimePlatform: { cpuArchitecture: service.cpuArchitecture, operatingSystemFamily: "LINUX" },
        taskRoleArn: identity.taskRole.arn,
        executionRoleArn: identity.executionRole.arn,
        containerDefinitions: containerDefinitions({
          image: image.reference,
          base: image.base,
          database: args.database,
          region: args.region,
          logGroupName: identity.logGroup.name,
          poolSize: service.poolSize,
          timeouts: args.timeouts,
        }),
      },
      { parent: this },
    );
  }

  #createService(
    name: string,
    args: ServiceArgs,
    cluster: aws.ecs.Cluster,
    taskDefinition: aws.ecs.TaskDefinition,
  ): aws.ecs.Service {
    const { identity, loadBalancer, network, timeouts } = args;
    const ready = [
      ...args.database.ready,
      ...identity.ready,
      ...network.grantTaskStart(identity.hop),
      ...loadBalancer.openTo(identity.hop),
      ...loadBalancer.ready,
    ];
    return new aws.ecs.Service(
      name,
      {
        cluster: cluster.arn,
        taskDefinition: taskDefinition.arn,
        launchType: "FARGATE",
        platformVersion: PLATFORM_VERSION,
        desiredCount: args.service.minTasks,
        deploymentMinimumHealthyPercent: 100,
        deploymentMaximumPercent: DEPLOYMENT_MAXIMUM_PERCENT,
        deploymentCircuitBreaker: { enable: true, rollback: true },
        waitForSteadyState: true,
        // After the loss of a zone the tasks do not stay crowded in the others.
        availabilityZoneRebalancing: "ENABLED",
        // Tasks are billed and searched for by tags, and ECS gives them none by itself.
        propagateTags: "SERVICE",
        enableEcsManagedTags: true,
        // A task listens only after its migration and its first query.
        healthCheckGracePeriodSeconds: timeouts.migrationDeadline + timeouts.connectRetry + timeouts.borrow,
        enableExecuteCommand: false,
        networkConfiguration: {
          subnets: network.isolatedSubnetIds,
          securityGroups: [identity.securityGroup.id],
          assignPublicIp: false,
        },
        loadBalancers: [
          {
            targetGroupArn: loadBalancer.targetGroupArn,
            containerName: SERVICE_CONTAINER,
            containerPort: SERVICE_PORT,
          },
        ],
      },
      {
        parent: this,
        dependsOn: ready,
        // From the first deployment on the count is autoscaling's.
        ignoreChanges: ["desiredCount"],
        customTimeouts: { create: STEADY_STATE_TIMEOUT, update: STEADY_STATE_TIMEOUT },
      },
    );
  }

  #scaleOnCpu(name: string, service: ServiceSize): void {
    const target = new aws.appautoscaling.Target(
      name,
      {
        serviceNamespace: "ecs",
        scalableDimension: "ecs:service:DesiredCount",
        resourceId: pulumi.interpolate`service/${this.clusterName}/${this.serviceName}`,
        minCapacity: service.minTasks,
        maxCapacity: service.maxTasks,
      },
      { parent: this },
    );
    new aws.appautoscaling.Policy(
      `${name}-cpu`,
      {
        policyType: "TargetTrackingScaling",
        serviceNamespace: target.serviceNamespace,
        scalableDimension: target.scalableDimension,
        resourceId: target.resourceId,
        targetTrackingScalingPolicyConfiguration: {
          predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
          targetValue: service.targetCpuPercent,
        },
      },
      { parent: this },
    );
  }
}
