import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { programOf, STACKS } from "./declared-program.ts";

/** What becomes of a resource in a stack whose deletionProtection is on; without it nothing is protected or retained. */
interface Keeping {
  /** Pulumi refuses to delete or replace it. */
  readonly protect: boolean;
  /** It stays in AWS when the stack no longer declares it. */
  readonly retain: boolean;
  readonly because: string;
}

const PRIVATE = "without its settings a bucket that stays would not be private any more";

/** Every type that holds data, or that data cannot be read or kept private without. Names where those of a type differ. */
const HOLDS_DATA: Readonly<Record<string, Keeping>> = {
  "aws:cloudwatch/logGroup:LogGroup": {
    protect: false,
    retain: true,
    because: "what a predecessor logged is evidence until it expires, and must not hold up its replacement",
  },
  "aws:ecr/repository:Repository": {
    protect: true,
    retain: false,
    because: "it refuses to go while it holds images, and each can be built again",
  },
  "aws:kms/key:Key database-secret": {
    protect: true,
    retain: false,
    because: "the secret goes with the instance, and then nothing needs the key",
  },
  "aws:kms/key:Key database-storage": {
    protect: true,
    retain: true,
    because: "without it no snapshot can be read, the final one included",
  },
  "aws:rds/instance:Instance": {
    protect: true,
    retain: false,
    because: "a deletion leaves a final snapshot; what stayed would hold up the deletion of its network",
  },
  "aws:s3/bucket:Bucket": { protect: true, retain: true, because: "access logs are evidence until they expire" },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
    protect: false,
    retain: true,
    because: PRIVATE,
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": { protect: false, retain: true, because: PRIVATE },
  "aws:s3/bucketPolicy:BucketPolicy": { protect: false, retain: true, because: PRIVATE },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": { protect: false, retain: true, because: PRIVATE },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    protect: false,
    retain: true,
    because: PRIVATE,
  },
  "aws:s3/bucketVersioning:BucketVersioning": { protect: false, retain: true, because: PRIVATE },
};

/** Every type that can be made again from the program as it was. */
const HOLDS_NONE: ReadonlySet<string> = new Set([
  "aws:appautoscaling/policy:Policy",
  "aws:appautoscaling/target:Target",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:cloudwatch/eventTarget:EventTarget",
  "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  "aws:ec2/flowLog:FlowLog",
  "aws:ec2/internetGateway:InternetGateway",
  "aws:ec2/route:Route",
  "aws:ec2/routeTable:RouteTable",
  "aws:ec2/routeTableAssociation:RouteTableAssociation",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/vpcEndpoint:VpcEndpoint",
  "aws:ecr/lifecyclePolicy:LifecyclePolicy",
  "aws:ecs/cluster:Cluster",
  "aws:ecs/service:Service",
  "aws:ecs/taskDefinition:TaskDefinition",
  "aws:iam/role:Role",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  // Messages on their way live for as long as they are tried.
  "aws:kms/key:Key observability-alarms",
  "aws:lb/listener:Listener",
  "aws:lb/loadBalancer:LoadBalancer",
  "aws:lb/targetGroup:TargetGroup",
  "aws:rds/eventSubscription:EventSubscription",
  "aws:rds/parameterGroup:ParameterGroup",
  "aws:rds/proxy:Proxy",
  "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
  "aws:rds/proxyTarget:ProxyTarget",
  "aws:rds/subnetGroup:SubnetGroup",
  "aws:sns/topic:Topic",
  "aws:sns/topicPolicy:TopicPolicy",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  // A record of what was pushed: the image itself is in the repository.
  "docker-build:index:Image",
]);

/** What is made in AWS: no component, of this program or of awsx, is. */
function made({ resources }: Program): readonly DeclaredResource[] {
  return resources.filter(({ custom, type }) => custom && !type.startsWith("awsx:"));
}

/** The types and names of the tables that a resource goes by. */
function namesOf({ type, name }: DeclaredResource): readonly string[] {
  return [type, `${type} ${name}`];
}

function keepingOf(resource: DeclaredResource): Keeping | undefined {
  return namesOf(resource)
    .map((name) => HOLDS_DATA[name])
    .find((keeping) => keeping !== undefined);
}

for (const stack of STACKS) {
  describe(`Of what stack ${stack} makes in AWS`, () => {
    it("each type is known to hold data or none", async () => {
      const resources = made(await programOf(stack));
      assert.ok(resources.length > 60, `only ${resources.length} were looked at`);
      const unknown = resources.filter((resource) => {
        const named = namesOf(resource).filter((name) => name in HOLDS_DATA || HOLDS_NONE.has(name));
        return named.length !== 1;
      });
      assert.deepEqual(
        unknown.map(({ type, name }) => `${type} ${name}: say in HOLDS_DATA or HOLDS_NONE what becomes of it`),
        [],
      );
      const declared = new Set(resources.flatMap(namesOf));
      const stale = [...Object.keys(HOLDS_DATA), ...HOLDS_NONE].filter((name) => !declared.has(name));
      assert.deepEqual(stale, []);
    });

    it(`${stack === "production" ? "what holds data is protected and retained as it should be" : "nothing is"}, and nothing else`, async () => {
      const program = await programOf(stack);
      for (const resource of made(program)) {
        const { protect, retain } = (stack === "production" && keepingOf(resource)) || {
          protect: false,
          retain: false,
        };
        const { protect: isProtected, retainOnDelete } = resource.options;
        assert.deepEqual(
          { isProtected, retainOnDelete },
          { isProtected: protect, retainOnDelete: retain },
          resource.urn,
        );
      }
    });
  });
}

describe("Each decision to keep", () => {
  it("has its reason", () => {
    for (const [name, { because, protect, retain }] of Object.entries(HOLDS_DATA)) {
      assert.ok(because.length > 20, name);
      assert.ok(protect || retain, `${name} is neither protected nor retained`);
    }
  });
});
