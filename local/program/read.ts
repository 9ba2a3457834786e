import type {
  Declared,
  DeclaredContainer,
  DeclaredDatabase,
  DeclaredLoadBalancer,
  DeclaredProxy,
  DeclaredService,
} from "../declared.ts";
import type { Properties } from "../outputs.ts";
import type { Program } from "../program.ts";
import { ResourceNotFound } from "./edit.ts";

/**
 * Reads from an evaluated program what the local environment needs to know of it.
 *
 * @throws ResourceNotFound when a resource that the environment stands for is not declared exactly once
 * @throws TypeError when one is declared without something that it cannot do without
 */
export function readDeclared(program: Program): Declared {
  const { region } = program.place;
  return {
    region,
    proxy: readProxy(program),
    database: readDatabase(program),
    service: readService(program),
    loadBalancer: readLoadBalancer(program),
  };
}

function readProxy(program: Program): DeclaredProxy {
  const proxy = only(program, "aws:rds/proxy:Proxy");
  const group = only(program, "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup");
  const target = only(program, "aws:rds/proxyTarget:ProxyTarget");
  const [auth, ...others] = list(proxy.auths, "auths of the proxy").map((item) => object(item, "auth of the proxy"));
  if (auth === undefined || others.length > 0) throw new TypeError("the proxy must have exactly one auth entry");
  const pool = object(group.connectionPoolConfig, "connectionPoolConfig of the proxy's target group");
  const arn = text(proxy.arn, "ARN of the proxy");
  return {
    name: text(proxy.name, "name of the proxy"),
    arn,
    resourceId: String(arn.split(":").at(-1)),
    endpoint: text(proxy.endpoint, "endpoint of the proxy"),
    port: number(target.port, "port of the proxy's target"),
    region: program.place.region,
    requireTls: proxy.requireTls === true,
    iamAuthRequired: auth.iamAuth === "REQUIRED",
    roleArn: text(proxy.roleArn, "role of the proxy"),
    secretArn: text(auth.secretArn, "secret of the proxy"),
    securityGroupIds: texts(proxy.vpcSecurityGroupIds, "security groups of the proxy"),
    // The defaults of CreateDBProxy and ConnectionPoolConfiguration, where the program leaves a setting out.
    idleClientTimeoutSeconds: number(proxy.idleClientTimeout ?? 1_800, "idleClientTimeout of the proxy"),
    borrowTimeoutSeconds: number(pool.connectionBorrowTimeout ?? 120, "connectionBorrowTimeout of the proxy"),
    maxConnectionsPercent: number(pool.maxConnectionsPercent ?? 100, "maxConnectionsPercent of the proxy"),
  };
}

function readDatabase(program: Program): DeclaredDatabase {
  const instance = only(program, "aws:rds/instance:Instance");
  const parameters = new Map(
    list(only(program, "aws:rds/parameterGroup:ParameterGroup").parameters, "parameters of the database").map(
      (item) => {
        const { name, value } = object(item, "parameter of the database");
        return [text(name, "name of a database parameter"), text(value, "value of a database parameter")];
      },
    ),
  );
  const [secret] = list(instance.masterUserSecrets, "managed secret of the database");
  const { secretArn, kmsKeyId } = object(secret, "managed secret of the database");
  return {
    identifier: text(instance.identifier, "identifier of the database"),
    address: text(instance.address, "address of the database"),
    majorVersion: Number.parseInt(text(instance.engineVersion, "engineVersion of the database"), 10),
    user: text(instance.username, "username of the database"),
    name: text(instance.dbName, "dbName of the database"),
    maxConnections: number(Number(parameters.get("max_connections")), "max_connections of the database"),
    forceSsl: parameters.get("rds.force_ssl") === "1",
    secretArn: text(secretArn, "ARN of the managed secret"),
    secretKeyArn: text(kmsKeyId, "key of the managed secret"),
    securityGroupIds: texts(instance.vpcSecurityGroupIds, "security groups of the database"),
  };
}

function readService(program: Program): DeclaredService {
  const service = only(program, "aws:ecs/service:Service");
  const task = only(program, "aws:ecs/taskDefinition:TaskDefinition");
  const image = only(program, "awsx:ecr:Image");
  const network = object(service.networkConfiguration, "networkConfiguration of the service");
  const [target] = list(service.loadBalancers, "loadBalancers of the service");
  const { containerName, containerPort } = object(target, "load balancer of the service");
  const definitions: unknown = JSON.parse(text(task.containerDefinitions, "containerDefinitions of the task"));
  return {
    taskRoleArn: text(task.taskRoleArn, "task role"),
    executionRoleArn: text(task.executionRoleArn, "execution role"),
    securityGroupIds: texts(network.securityGroups, "security groups of the service"),
    containers: list(definitions, "containerDefinitions of the task").map(readContainer),
    containerName: text(containerName, "containerName of the service's load balancer"),
    containerPort: number(containerPort, "containerPort of the service's load balancer"),
    startLimitSeconds: number(service.healthCheckGracePeriodSeconds, "healthCheckGracePeriodSeconds of the service"),
    imageContext: text(image.context, "context of the image"),
  };
}

function readContainer(definition: unknown): DeclaredContainer {
  const container = object(definition, "container definition");
  const name = text(container.name, "name of a container");
  const environment = list(container.environment ?? [], `environment of ${name}`).map((item) => {
    const variable = object(item, `environment of ${name}`);
    return [text(variable.name, `variable of ${name}`), text(variable.value, `value of a variable of ${name}`)];
  });
  const dependsOn = list(container.dependsOn ?? [], `dependsOn of ${name}`).map((item) => {
    const { containerName, condition } = object(item, `dependsOn of ${name}`);
    return {
      containerName: text(containerName, `containerName that ${name} depends on`),
      condition: text(condition, `condition that ${name} depends on`),
    };
  });
  return {
    name,
    essential: container.essential !== false,
    command: texts(container.command, `command of ${name}`),
    environment: Object.fromEntries(environment),
    user: text(container.user, `user of ${name}`),
    // ECS's default ("Task definition parameters").
    stopTimeoutSeconds: number(container.stopTimeout ?? 30, `stopTimeout of ${name}`),
    // On Fargate two minutes at most, and that where nothing is said ("Task definition parameters").
    startTimeoutSeconds: number(container.startTimeout ?? 120, `startTimeout of ${name}`),
    dependsOn,
    dockerLabels: object(container.dockerLabels ?? {}, `dockerLabels of ${name}`) as Record<string, string>,
  };
}

function readLoadBalancer(program: Program): DeclaredLoadBalancer {
  const balancer = only(program, "aws:lb/loadBalancer:LoadBalancer");
  const group = only(program, "aws:lb/targetGroup:TargetGroup");
  const check = object(group.healthCheck, "healthCheck of the target group");
  return {
    idleTimeoutSeconds: number(balancer.idleTimeout ?? 60, "idleTimeout of the load balancer"),
    healthCheck: {
      path: text(check.path, "path of the health check"),
      intervalSeconds: number(check.interval, "interval of the health check"),
      timeoutSeconds: number(check.timeout, "timeout of the health check"),
      healthyThreshold: number(check.healthyThreshold, "healthyThreshold of the health check"),
      unhealthyThreshold: number(check.unhealthyThreshold, "unhealthyThreshold of the health check"),
      status: number(Number(check.matcher), "matcher of the health check"),
    },
  };
}

/** The outputs of the one resource of a type. */
function only(program: Program, type: string): Properties {
  const [resource, ...others] = program.resources.filter((candidate) => candidate.type === type);
  if (resource === undefined || others.length > 0) {
    const count = resource === undefined ? "none" : String(others.length + 1);
    throw new ResourceNotFound(`the local environment stands for one ${type}; declared: ${count}`);
  }
  return resource.outputs;
}

function text(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`the program declares no ${what}: got ${JSON.stringify(value)}`);
}

function number(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`the program declares no ${what}: got ${JSON.stringify(value)}`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`the program declares no ${what}: got ${JSON.stringify(value)}`);
}

function texts(value: unknown, what: string): readonly string[] {
  return list(value, what).map((item) => text(item, what));
}

function object(value: unknown, what: string): Properties {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Properties;
  throw new TypeError(`the program declares no ${what}: got ${JSON.stringify(value)}`);
}
