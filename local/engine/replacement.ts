/** How a type of resource changes, as the engine hears it from the type's provider. */
export interface Mutability {
  /** Inputs whose change needs another resource: `ForceNew` or `RequiresReplace` in the source of the Terraform provider for AWS. */
  readonly createOnly: readonly string[];
  /** Input that the provider makes up a name for where the program gives none (the bridge's `AutoName`). Default none. */
  readonly autonamed?: string;
}

/** Every input of a task definition is registered for good: ECS knows revisions only. */
const TASK_DEFINITION = [
  "containerDefinitions",
  "cpu",
  "executionRoleArn",
  "family",
  "memory",
  "networkMode",
  "requiresCompatibilities",
  "runtimePlatform",
  "taskRoleArn",
];

const RULE = ["securityGroupId"];
const BUCKET = ["bucket", "expectedBucketOwner"];

/**
 * The types of the program, by token. A type that is missing is an error, since a preview that took a replacement for an update
 * would be worse than none.
 */
export const MUTABILITY: Readonly<Record<string, Mutability>> = {
  "aws:appautoscaling/policy:Policy": { createOnly: ["name", "resourceId", "scalableDimension", "serviceNamespace"] },
  "aws:appautoscaling/target:Target": { createOnly: ["resourceId", "scalableDimension", "serviceNamespace"] },
  "aws:cloudwatch/dashboard:Dashboard": { createOnly: ["dashboardName"] },
  "aws:cloudwatch/eventRule:EventRule": { createOnly: ["name", "eventBusName"], autonamed: "name" },
  "aws:cloudwatch/eventTarget:EventTarget": { createOnly: ["rule", "targetId", "eventBusName"] },
  "aws:cloudwatch/logGroup:LogGroup": { createOnly: ["name", "logGroupClass"], autonamed: "name" },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": { createOnly: ["name", "logGroupName"], autonamed: "name" },
  "aws:cloudwatch/metricAlarm:MetricAlarm": { createOnly: ["name"], autonamed: "name" },
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": { createOnly: ["vpcId"] },
  "aws:ec2/flowLog:FlowLog": {
    createOnly: [
      "vpcId",
      "trafficType",
      "iamRoleArn",
      "logDestination",
      "logDestinationType",
      "maxAggregationInterval",
    ],
  },
  "aws:ec2/internetGateway:InternetGateway": { createOnly: [] },
  "aws:ec2/route:Route": { createOnly: ["routeTableId", "destinationCidrBlock"] },
  "aws:ec2/routeTable:RouteTable": { createOnly: ["vpcId"] },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": { createOnly: ["subnetId", "gatewayId"] },
  "aws:ec2/securityGroup:SecurityGroup": { createOnly: ["name", "description", "vpcId"], autonamed: "name" },
  "aws:ec2/subnet:Subnet": { createOnly: ["vpcId", "cidrBlock", "availabilityZone"] },
  "aws:ec2/vpc:Vpc": { createOnly: ["cidrBlock", "instanceTenancy"] },
  "aws:ec2/vpcEndpoint:VpcEndpoint": { createOnly: ["vpcId", "serviceName", "vpcEndpointType"] },
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": { createOnly: ["repository", "policy"] },
  "aws:ecr/repository:Repository": { createOnly: ["name", "encryptionConfigurations"], autonamed: "name" },
  "aws:ecs/cluster:Cluster": { createOnly: ["name"], autonamed: "name" },
  "aws:ecs/service:Service": {
    createOnly: ["name", "cluster", "launchType", "schedulingStrategy", "iamRole"],
    autonamed: "name",
  },
  "aws:ecs/taskDefinition:TaskDefinition": { createOnly: TASK_DEFINITION },
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": { createOnly: ["url"] },
  "aws:iam/policy:Policy": { createOnly: ["name", "path", "description"], autonamed: "name" },
  "aws:iam/role:Role": { createOnly: ["name", "path"], autonamed: "name" },
  "aws:iam/rolePolicy:RolePolicy": { createOnly: ["name", "role"], autonamed: "name" },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { createOnly: ["role", "policyArn"] },
  "aws:kms/alias:Alias": { createOnly: ["name"], autonamed: "name" },
  "aws:kms/key:Key": { createOnly: ["customerMasterKeySpec", "keyUsage", "multiRegion"] },
  "aws:lb/listener:Listener": { createOnly: ["loadBalancerArn"] },
  "aws:lb/loadBalancer:LoadBalancer": { createOnly: ["name", "internal", "loadBalancerType"], autonamed: "name" },
  "aws:lb/targetGroup:TargetGroup": {
    createOnly: ["name", "port", "protocol", "protocolVersion", "targetType", "vpcId"],
    autonamed: "name",
  },
  "aws:rds/eventSubscription:EventSubscription": { createOnly: ["name", "snsTopic"], autonamed: "name" },
  "aws:rds/instance:Instance": {
    createOnly: [
      "availabilityZone",
      "characterSetName",
      "dbName",
      "engine",
      "kmsKeyId",
      "storageEncrypted",
      "username",
    ],
  },
  "aws:rds/parameterGroup:ParameterGroup": { createOnly: ["name", "family", "description"], autonamed: "name" },
  "aws:rds/proxy:Proxy": { createOnly: ["engineFamily", "vpcSubnetIds"] },
  "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": { createOnly: ["dbProxyName"] },
  "aws:rds/proxyTarget:ProxyTarget": {
    createOnly: ["dbProxyName", "targetGroupName", "dbInstanceIdentifier", "dbClusterIdentifier"],
  },
  "aws:rds/subnetGroup:SubnetGroup": { createOnly: ["name"], autonamed: "name" },
  "aws:s3/bucket:Bucket": { createOnly: ["bucket", "objectLockEnabled"], autonamed: "bucket" },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": { createOnly: BUCKET },
  "aws:s3/bucketObjectv2:BucketObjectv2": { createOnly: ["bucket", "key"] },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": { createOnly: BUCKET },
  "aws:s3/bucketPolicy:BucketPolicy": { createOnly: BUCKET },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": { createOnly: BUCKET },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": { createOnly: BUCKET },
  "aws:s3/bucketVersioning:BucketVersioning": { createOnly: BUCKET },
  "aws:sns/topic:Topic": { createOnly: ["name", "fifoTopic"], autonamed: "name" },
  "aws:sns/topicPolicy:TopicPolicy": { createOnly: ["arn"] },
  "aws:sns/topicSubscription:TopicSubscription": { createOnly: ["topic", "protocol", "endpoint"] },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { createOnly: RULE },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": { createOnly: RULE },
  "docker-build:index:Image": { createOnly: [] },
};

/**
 * How resources of a type change.
 *
 * @throws Error for a type that nobody has looked up yet
 */
export function mutabilityOf(type: string): Mutability {
  const found = MUTABILITY[type];
  if (found !== undefined) return found;
  throw new Error(`it is not known what replaces a ${type}: add it to MUTABILITY in local/engine/replacement.ts`);
}
