import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { documentOf, ofType, only, programOf, STACKS } from "./declared-program.ts";

const CERTIFICATE = "arn:aws:acm:eu-west-2:123456789012:certificate/11111111-2222-4333-8444-555555555555";

/** The client's way in: ranges, port and protocol, and whether it begins on the internet. */
function entranceOf(program: Program): Readonly<Record<string, unknown>> {
  const listener = only(program, "Listener", "load-balancer").inputs;
  const clients = ofType(program, "SecurityGroupIngressRule").filter(({ inputs }) => inputs.cidrIpv4 !== undefined);
  const group = only(program, "SecurityGroup", "load-balancer");
  for (const { name, inputs } of clients) assert.equal(inputs.securityGroupId, group.id, name);
  return {
    internal: only(program, "LoadBalancer").inputs.internal,
    protocol: listener.protocol,
    port: listener.port,
    clients: clients.map(({ inputs }) => `${inputs.cidrIpv4} tcp/${inputs.fromPort}-${inputs.toPort}`),
    scheme: String(program.outputs.serviceUrl).split(":")[0],
  };
}

describe("The load balancer", () => {
  it("is internal and speaks plain HTTP to the VPC when neither certificate nor clients are configured", async () => {
    const program = await programOf("staging");
    assert.deepEqual(entranceOf(program), {
      internal: true,
      protocol: "HTTP",
      port: 80,
      clients: ["10.0.0.0/16 tcp/80-80"],
      scheme: "http",
    });
    // Alone: what would be redirected is what serves.
    const { certificateArn, sslPolicy } = only(program, "Listener").inputs;
    assert.deepEqual({ certificateArn, sslPolicy }, { certificateArn: undefined, sslPolicy: undefined });
  });

  it("serves by HTTPS only, with a policy of TLS 1.2 and 1.3, when a certificate is configured", async () => {
    const program = await programOf("staging", { certificateArn: CERTIFICATE });
    assert.deepEqual(entranceOf(program), {
      internal: true,
      protocol: "HTTPS",
      port: 443,
      clients: ["10.0.0.0/16 tcp/443-443", "10.0.0.0/16 tcp/80-80"],
      scheme: "https",
    });
    const { certificateArn, sslPolicy } = only(program, "Listener", "load-balancer").inputs;
    assert.equal(certificateArn, CERTIFICATE);
    assert.equal(sslPolicy, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06");
  });

  it("sends whoever comes by HTTP to HTTPS for good, and serves nothing there, when a certificate is configured", async () => {
    const program = await programOf("staging", { certificateArn: CERTIFICATE });
    assert.equal(ofType(program, "Listener").length, 2);
    const { inputs, dependencies } = only(program, "Listener", "load-balancer-redirect");
    assert.deepEqual(inputs, {
      loadBalancerArn: only(program, "LoadBalancer").outputs.arn,
      port: 80,
      protocol: "HTTP",
      defaultActions: [{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } }],
    });
    assert.ok(dependencies.includes(only(program, "Listener", "load-balancer").urn), "two would want one port");
  });

  it("is HTTPS and internal in production", async () => {
    const { internal, protocol } = entranceOf(await programOf("production"));
    assert.deepEqual({ internal, protocol }, { internal: true, protocol: "HTTPS" });
  });

  it("is internet-facing for exactly the ranges that are configured", async () => {
    const program = await programOf("staging", { ingressCidrs: '["203.0.113.0/24", "198.51.100.7/32"]' });
    assert.deepEqual(entranceOf(program), {
      internal: false,
      protocol: "HTTP",
      port: 80,
      clients: ["203.0.113.0/24 tcp/80-80", "198.51.100.7/32 tcp/80-80"],
      scheme: "http",
    });
  });

  it("is open to the world when that is configured with a certificate", async () => {
    const program = await programOf("staging", { ingressCidrs: '["0.0.0.0/0"]', certificateArn: CERTIFICATE });
    const { internal, clients } = entranceOf(program);
    assert.deepEqual(
      { internal, clients },
      {
        internal: false,
        clients: ["0.0.0.0/0 tcp/443-443", "0.0.0.0/0 tcp/80-80"],
      },
    );
    const egress = ofType(program, "SecurityGroupEgressRule");
    assert.deepEqual(
      egress.filter(({ inputs }) => inputs.cidrIpv4 !== undefined),
      [],
    );
  });

  for (const stack of STACKS) {
    it(`checks the liveness of tasks by address and forwards to them alone (${stack})`, async () => {
      const program = await programOf(stack);
      const { inputs, outputs } = only(program, "TargetGroup");
      assert.deepEqual(
        { targetType: inputs.targetType, protocol: inputs.protocol, port: inputs.port, check: inputs.healthCheck },
        {
          targetType: "ip",
          protocol: "HTTP",
          port: 8080,
          check: {
            protocol: "HTTP",
            path: "/livez",
            matcher: "200",
            interval: 10,
            timeout: 5,
            healthyThreshold: 2,
            unhealthyThreshold: 3,
          },
        },
      );
      const listener = only(program, "Listener", "load-balancer").inputs;
      assert.deepEqual(listener.defaultActions, [{ type: "forward", targetGroupArn: outputs.arn }]);
      assert.equal(listener.loadBalancerArn, only(program, "LoadBalancer").outputs.arn);
      const { dropInvalidHeaderFields, desyncMitigationMode } = only(program, "LoadBalancer").inputs;
      assert.deepEqual(
        { dropInvalidHeaderFields, desyncMitigationMode },
        {
          dropInvalidHeaderFields: true,
          desyncMitigationMode: "defensive",
        },
      );
      assert.deepEqual(only(program, "Service").inputs.loadBalancers, [
        { targetGroupArn: outputs.arn, containerName: "service", containerPort: 8080 },
      ]);
    });
  }
});

describe("The load balancer's name and firewall", () => {
  const DOMAIN = {
    domainName: "projects.example.com",
    hostedZoneId: "Z0123456789ABCDEFGHIJ",
    certificateArn: CERTIFICATE,
  };
  const WEB_ACL = "arn:aws:wafv2:eu-west-2:123456789012:regional/webacl/edge/11111111-2222-4333-8444-555555555555";

  it("are AWS's own name and none, unless they are configured", async () => {
    for (const stack of STACKS) {
      const program = await programOf(stack);
      assert.deepEqual([...ofType(program, "Record"), ...ofType(program, "WebAclAssociation")], []);
      const { dnsName } = only(program, "LoadBalancer").outputs;
      assert.equal(String(program.outputs.serviceUrl).split("://")[1], dnsName);
    }
  });

  it("are the service's own, an alias in the hosted zone that is there, when both are configured", async () => {
    const program = await programOf("staging", DOMAIN);
    const { dnsName, zoneId } = only(program, "LoadBalancer").outputs;
    assert.deepEqual(only(program, "Record").inputs, {
      zoneId: "Z0123456789ABCDEFGHIJ",
      name: "projects.example.com",
      type: "A",
      aliases: [{ name: dnsName, zoneId, evaluateTargetHealth: true }],
    });
    assert.deepEqual(ofType(program, "Zone"), []);
    assert.equal(program.outputs.serviceUrl, "https://projects.example.com");
  });

  it("are a web ACL before this load balancer, when one is configured", async () => {
    const program = await programOf("staging", { webAclArn: WEB_ACL });
    assert.deepEqual(only(program, "WebAclAssociation").inputs, {
      resourceArn: only(program, "LoadBalancer").outputs.arn,
      webAclArn: WEB_ACL,
    });
  });
});

describe("The access logs of the load balancer", () => {
  for (const [stack, days, kept] of [
    ["production", 365, true],
    ["staging", 30, false],
  ] as const) {
    it(`go to a private, versioned bucket that S3 encrypts and empties after ${days} days (${stack})`, async () => {
      const program = await programOf(stack);
      const { bucket } = only(program, "Bucket").outputs;
      const settings = [
        "BucketPublicAccessBlock",
        "BucketOwnershipControls",
        "BucketServerSideEncryptionConfiguration",
        "BucketVersioning",
        "BucketLifecycleConfiguration",
      ].map((type) => only(program, type).inputs);
      assert.deepEqual(settings, [
        { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
        { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
        { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
        { bucket, versioningConfiguration: { status: "Enabled" } },
        {
          bucket,
          rules: [
            {
              id: "expire",
              status: "Enabled",
              filter: { prefix: "" },
              expiration: { days },
              noncurrentVersionExpiration: { noncurrentDays: 7 },
              abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
            },
          ],
        },
      ]);
      assert.deepEqual(only(program, "LoadBalancer").inputs.accessLogs, { bucket, enabled: true });
    });

    it(`are written by load balancers of this account below its own prefix, and by TLS only (${stack})`, async () => {
      const program = await programOf(stack);
      const policy = only(program, "BucketPolicy");
      const { arn, bucket } = only(program, "Bucket").outputs;
      assert.equal(policy.inputs.bucket, bucket);
      assert.deepEqual(documentOf(policy, "policy").Statement, [
        {
          Sid: "LoadBalancersWrite",
          Effect: "Allow",
          Principal: { Service: "logdelivery.elasticloadbalancing.amazonaws.com" },
          Action: "s3:PutObject",
          Resource: `${arn}/AWSLogs/123456789012/*`,
          Condition: {
            ArnLike: { "aws:SourceArn": "arn:aws:elasticloadbalancing:eu-west-2:123456789012:loadbalancer/*" },
          },
        },
        {
          Sid: "NobodyWithoutTls",
          Effect: "Deny",
          Principal: { AWS: "*" },
          Action: "s3:*",
          Resource: [arn, `${arn}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    });

    it(`have their bucket ready before the load balancer tries to write there (${stack})`, async () => {
      const program = await programOf(stack);
      const { dependencies } = only(program, "LoadBalancer");
      for (const type of ["BucketPolicy", "BucketServerSideEncryptionConfiguration", "BucketVersioning"]) {
        assert.ok(dependencies.includes(only(program, type).urn), type);
      }
    });

    it(`${kept ? "outlive" : "go with"} the stack, which AWS ${kept ? "refuses to" : "lets"} part from its load balancer (${stack})`, async () => {
      const program = await programOf(stack);
      assert.equal(only(program, "LoadBalancer").inputs.enableDeletionProtection, kept);
      assert.equal(only(program, "Bucket").inputs.forceDestroy, !kept);
    });
  }
});
