/** The RDS Proxy as declared: the settings that the local proxy obeys. */
export interface DeclaredProxy {
  readonly name: string;
  readonly arn: string;
  /** `prx-…`, the last segment of the ARN: the resource that `rds-db:connect` names. */
  readonly resourceId: string;
  /** Host name that clients dial, sign for and verify in TLS. */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly requireTls: boolean;
  readonly iamAuthRequired: boolean;
  readonly roleArn: string;
  readonly secretArn: string;
  readonly securityGroupIds: readonly string[];
  readonly idleClientTimeoutSeconds: number;
  readonly borrowTimeoutSeconds: number;
  /** Share of the database's `max_connections` that the proxy may open, in percent. */
  readonly maxConnectionsPercent: number;
}

/** The RDS instance as declared, with its parameter group read. */
export interface DeclaredDatabase {
  readonly identifier: string;
  /** Host name of the instance, which its certificate carries. */
  readonly address: string;
  /** Major version of PostgreSQL, such as 17. */
  readonly majorVersion: number;
  /** The managed master user: also the user that clients of the proxy name. */
  readonly user: string;
  /** Database that is made with the instance. */
  readonly name: string;
  readonly maxConnections: number;
  /** `rds.force_ssl`. */
  readonly forceSsl: boolean;
  readonly secretArn: string;
  readonly secretKeyArn: string;
  readonly securityGroupIds: readonly string[];
}

/** One container of the declared task definition. */
export interface DeclaredContainer {
  readonly name: string;
  readonly essential: boolean;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** `uid:gid` of the task definition's `user`. */
  readonly user: string;
  readonly stopTimeoutSeconds: number;
  /** How long a container that depends on this one waits for it. */
  readonly startTimeoutSeconds: number;
  readonly dependsOn: readonly { readonly containerName: string; readonly condition: string }[];
  readonly dockerLabels: Readonly<Record<string, string>>;
}

/** The ECS service and its task definition as declared. */
export interface DeclaredService {
  readonly taskRoleArn: string;
  readonly executionRoleArn: string;
  readonly securityGroupIds: readonly string[];
  readonly containers: readonly DeclaredContainer[];
  /** Name and port of the container that the target group sends requests to. */
  readonly containerName: string;
  readonly containerPort: number;
  /** How long a new task may take until it answers: the grace of the load balancer's health check. */
  readonly startLimitSeconds: number;
  /** Folder, relative to the working directory, that the image is built from. */
  readonly imageContext: string;
}

/** The application load balancer, its listener and its target group as declared. */
export interface DeclaredLoadBalancer {
  readonly idleTimeoutSeconds: number;
  readonly healthCheck: {
    readonly path: string;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    readonly healthyThreshold: number;
    readonly unhealthyThreshold: number;
    /** Status code that counts as healthy. */
    readonly status: number;
  };
}

/** What the program declared, as the local environment needs it. */
export interface Declared {
  readonly region: string;
  readonly proxy: DeclaredProxy;
  readonly database: DeclaredDatabase;
  readonly service: DeclaredService;
  readonly loadBalancer: DeclaredLoadBalancer;
}
