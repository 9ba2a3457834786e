import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { withoutPublicAddresses } from "../../infra/network/vpc.ts";
import type { Properties } from "../../local/outputs.ts";
import type { Program } from "../../local/program.ts";
import { documentOf, ofType, only, programOf, STACKS } from "./declared-program.ts";

/** Where each network interface of the program is. */
function subnetsOf(program: Program): Readonly<Record<string, unknown>> {
  const service = only(program, "Service").inputs.networkConfiguration as Properties;
  return {
    loadBalancer: only(program, "LoadBalancer").inputs.subnets,
    tasks: service.subnets,
    proxy: only(program, "Proxy").inputs.vpcSubnetIds,
    database: only(program, "SubnetGroup").inputs.subnetIds,
  };
}

for (const stack of STACKS) {
  describe(`The network of stack ${stack}`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    it("is a VPC of public and isolated subnets without a NAT gateway", () => {
      assert.deepEqual(only(program, "Vpc").inputs, {
        cidrBlock: "10.0.0.0/16",
        numberOfAvailabilityZones: 2,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        natGateways: { strategy: "None" },
        subnetStrategy: "Auto",
        subnetSpecs: [
          { type: "Public", name: "public" },
          { type: "Isolated", name: "isolated" },
        ],
      });
      for (const type of ["NatGateway", "InternetGateway", "Route", "Eip"]) assert.deepEqual(ofType(program, type), []);
    });

    it("has the load balancer in public subnets, and tasks, proxy and database in isolated ones", () => {
      const { publicSubnetIds, isolatedSubnetIds } = only(program, "Vpc").outputs;
      assert.equal(new Set([publicSubnetIds, isolatedSubnetIds].flat()).size, 4);
      assert.deepEqual(subnetsOf(program), {
        loadBalancer: publicSubnetIds,
        tasks: isolatedSubnetIds,
        proxy: isolatedSubnetIds,
        database: isolatedSubnetIds,
      });
    });

    it("gives neither tasks nor the database a public address", () => {
      const service = only(program, "Service").inputs.networkConfiguration as Properties;
      assert.equal(service.assignPublicIp, false);
      assert.equal(only(program, "Instance").inputs.publiclyAccessible, false);
    });

    it("closes the default security group, in which whatever names no other would land", () => {
      const { inputs } = only(program, "DefaultSecurityGroup");
      assert.deepEqual(inputs, { vpcId: only(program, "Vpc").outputs.vpcId, ingress: [], egress: [] });
    });

    it("records all traffic of the VPC in a log group that expires, by a role that can write there only", () => {
      const group = only(program, "LogGroup", "network-flow");
      const role = only(program, "Role", "network-flow-logs");
      const policy = only(program, "RolePolicy", "network-flow-logs");
      const { inputs, dependencies } = only(program, "FlowLog");
      assert.deepEqual(inputs, {
        vpcId: only(program, "Vpc").outputs.vpcId,
        trafficType: "ALL",
        logDestinationType: "cloud-watch-logs",
        logDestination: group.outputs.arn,
        iamRoleArn: role.outputs.arn,
        maxAggregationInterval: 600,
      });
      assert.ok(dependencies.includes(policy.urn), "it would start before it may write");
      assert.equal(group.inputs.retentionInDays, only(program, "LogGroup", "service").inputs.retentionInDays);
      assert.deepEqual(documentOf(role, "assumeRolePolicy").Statement, [
        {
          Effect: "Allow",
          Principal: { Service: "vpc-flow-logs.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: {
            StringEquals: { "aws:SourceAccount": "123456789012" },
            ArnLike: { "aws:SourceArn": "arn:aws:ec2:eu-west-2:123456789012:vpc-flow-log/*" },
          },
        },
      ]);
      assert.deepEqual(documentOf(policy, "policy").Statement, [
        {
          Sid: "WriteFlowLogs",
          Effect: "Allow",
          Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
          Resource: `${group.outputs.arn}:*`,
        },
      ]);
    });

    it("lets through the endpoints what a task needs to start, and nothing else", () => {
      const ofAccount = { StringEquals: { "aws:PrincipalAccount": "123456789012" } };
      const everyone = { Effect: "Allow", Principal: { AWS: "*" } };
      const pull = [
        {
          Sid: "LogInToRegistry",
          ...everyone,
          Condition: ofAccount,
          Action: "ecr:GetAuthorizationToken",
          Resource: "*",
        },
        {
          Sid: "PullImages",
          ...everyone,
          Condition: ofAccount,
          Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
          Resource: "arn:aws:ecr:eu-west-2:123456789012:repository/*",
        },
      ];
      const write = {
        Sid: "WriteLogs",
        ...everyone,
        Condition: ofAccount,
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "arn:aws:logs:eu-west-2:123456789012:log-group:*",
      };
      const layers = {
        Sid: "GetImageLayers",
        ...everyone,
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::prod-eu-west-2-starport-layer-bucket/*",
      };
      const policies = ofType(program, "VpcEndpoint").map(
        (endpoint) => [endpoint.name, documentOf(endpoint, "policy").Statement] as const,
      );
      assert.deepEqual(Object.fromEntries(policies), {
        "network-ecr-api": pull,
        "network-ecr-dkr": pull,
        "network-logs": [write],
        "network-s3": [layers],
      });
    });

    it("reaches what a task needs to start through endpoints of its own, S3 on every isolated route table", () => {
      const { vpcId, isolatedSubnetIds } = only(program, "Vpc").outputs;
      const endpoints = ofType(program, "VpcEndpoint");
      assert.deepEqual(endpoints.map(({ inputs }) => `${inputs.vpcEndpointType} ${inputs.serviceName}`).sort(), [
        "Gateway com.amazonaws.eu-west-2.s3",
        "Interface com.amazonaws.eu-west-2.ecr.api",
        "Interface com.amazonaws.eu-west-2.ecr.dkr",
        "Interface com.amazonaws.eu-west-2.logs",
      ]);
      for (const { name, inputs } of endpoints) {
        assert.equal(inputs.vpcId, vpcId, name);
        if (inputs.vpcEndpointType === "Gateway") {
          assert.equal(new Set(inputs.routeTableIds as string[]).size, 2, name);
          assert.equal(inputs.subnetIds, undefined, name);
        } else {
          assert.deepEqual(inputs.subnetIds, isolatedSubnetIds, name);
          assert.equal(inputs.privateDnsEnabled, true, name);
        }
      }
    });
  });
}

describe("The subnets that awsx makes", () => {
  const opts = { parent: undefined };

  it("give nothing that starts in them a public address", () => {
    const props = { vpcId: "vpc-0a", cidrBlock: "10.0.0.0/18", mapPublicIpOnLaunch: true };
    const changed = withoutPublicAddresses({ type: "aws:ec2/subnet:Subnet", props, opts });
    assert.deepEqual(changed, { props: { ...props, mapPublicIpOnLaunch: false }, opts });
  });

  it("are all that is changed of what awsx makes", () => {
    for (const type of [
      "aws:ec2/vpc:Vpc",
      "aws:ec2/routeTable:RouteTable",
      "awsx:ec2:Vpc",
      "aws:ec2/subnetCidr:Subnet",
    ]) {
      assert.equal(withoutPublicAddresses({ type, props: {}, opts }), undefined, type);
    }
  });
});

describe("The endpoints", () => {
  const NAMES = {
    "cn-north-1": [
      "com.amazonaws.cn-north-1.s3",
      "cn.com.amazonaws.cn-north-1.ecr.api",
      "cn.com.amazonaws.cn-north-1.ecr.dkr",
      "com.amazonaws.cn-north-1.logs",
    ],
    "us-gov-west-1": [
      "com.amazonaws.us-gov-west-1.s3",
      "com.amazonaws.us-gov-west-1.ecr.api",
      "com.amazonaws.us-gov-west-1.ecr.dkr",
      "com.amazonaws.us-gov-west-1.logs",
    ],
  };

  for (const [region, names] of Object.entries(NAMES)) {
    it(`have the names and the ARNs of their partition (${region})`, async () => {
      const program = await programOf("staging", { "aws:region": region });
      const endpoints = ofType(program, "VpcEndpoint");
      assert.deepEqual(endpoints.map(({ inputs }) => String(inputs.serviceName)).sort(), [...names].sort());
      const partition = region.startsWith("cn-") ? "aws-cn" : "aws-us-gov";
      const resources = endpoints.flatMap((endpoint) =>
        documentOf(endpoint, "policy").Statement.map(({ Resource }) => String(Resource)),
      );
      const arns = resources.filter((resource) => resource !== "*");
      assert.equal(arns.length, 4);
      for (const arn of arns) assert.ok(arn.startsWith(`arn:${partition}:`) && arn.includes(region), arn);
    });
  }
});

describe("A new VPC over three zones", () => {
  it("has three subnets of each kind and S3 on three route tables", async () => {
    const program = await programOf("staging", { availabilityZones: "3", vpcCidr: "10.20.0.0/20" });
    const vpc = only(program, "Vpc");
    assert.equal(vpc.inputs.numberOfAvailabilityZones, 3);
    assert.equal(vpc.inputs.cidrBlock, "10.20.0.0/20");
    for (const ids of Object.values(subnetsOf(program))) assert.equal((ids as string[]).length, 3);
    const s3 = only(program, "VpcEndpoint", "network-s3").inputs.routeTableIds as string[];
    assert.equal(new Set(s3).size, 3);
    assert.equal(
      only(program, "SecurityGroupIngressRule", "clients-to-load-balancer-ingress-0").inputs.cidrIpv4,
      "10.20.0.0/20",
    );
  });
});

const EXISTING = {
  vpcId: "vpc-0a",
  publicSubnetIds: '["subnet-0a", "subnet-0b"]',
  isolatedSubnetIds: '["subnet-1a", "subnet-1b", "subnet-1c"]',
};

describe("An existing VPC", () => {
  it("is used as it is, and given the endpoints that tasks need to start", async () => {
    const program = await programOf("staging", EXISTING);
    // Flow logs and the default security group are for the owner of the VPC.
    for (const type of ["Vpc", "FlowLog", "DefaultSecurityGroup"]) assert.deepEqual(ofType(program, type), [], type);
    assert.equal(ofType(program, "Role").length, ofType(await programOf("staging"), "Role").length - 1);
    const isolated = ["subnet-1a", "subnet-1b", "subnet-1c"];
    assert.deepEqual(subnetsOf(program), {
      loadBalancer: ["subnet-0a", "subnet-0b"],
      tasks: isolated,
      proxy: isolated,
      database: isolated,
    });
    for (const { name, inputs } of [...ofType(program, "SecurityGroup"), ...ofType(program, "TargetGroup")]) {
      assert.equal(inputs.vpcId, "vpc-0a", name);
    }
    assert.equal(ofType(program, "VpcEndpoint").length, 4);
    const s3 = only(program, "VpcEndpoint", "network-s3").inputs;
    assert.equal((s3.routeTableIds as string[]).length, 3);
    // What getVpc answers for the VPC's range.
    const clients = only(program, "SecurityGroupIngressRule", "clients-to-load-balancer-ingress-0").inputs;
    assert.equal(clients.cidrIpv4, "172.31.0.0/16");
  });

  it("keeps the endpoints that it has: only the way to them is opened", async () => {
    const program = await programOf("staging", { ...EXISTING, endpointSecurityGroupId: "sg-0e" });
    assert.deepEqual(ofType(program, "VpcEndpoint"), []);
    assert.deepEqual(
      ofType(program, "SecurityGroup")
        .map(({ name }) => name)
        .sort(),
      ["database", "load-balancer", "proxy", "service"],
    );
    const service = only(program, "SecurityGroup", "service").id;
    const egress = only(program, "SecurityGroupEgressRule", "service-to-endpoints-egress").inputs;
    const ingress = only(program, "SecurityGroupIngressRule", "service-to-endpoints-ingress").inputs;
    assert.deepEqual([egress.securityGroupId, egress.referencedSecurityGroupId], [service, "sg-0e"]);
    assert.deepEqual([ingress.securityGroupId, ingress.referencedSecurityGroupId], ["sg-0e", service]);
    const s3 = only(program, "SecurityGroupEgressRule", "service-to-s3-egress").inputs;
    assert.match(String(s3.prefixListId), /^pl-/);
    assert.equal(ofType(program, "SecurityGroupEgressRule").length, 5);
    assert.equal(ofType(program, "SecurityGroupIngressRule").length, 5);
  });
});
