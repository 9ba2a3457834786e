import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import { ofType, only, programOf, STACKS } from "./declared-program.ts";

const CERTIFICATE = "arn:aws:acm:eu-west-2:123456789012:certificate/11111111-2222-4333-8444-555555555555";

/** The client's way in: ranges, port and protocol, and whether it begins on the internet. */
function entranceOf(program: Program): Readonly<Record<string, unknown>> {
  const listener = only(program, "Listener").inputs;
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
    const { certificateArn, sslPolicy } = only(program, "Listener").inputs;
    assert.deepEqual({ certificateArn, sslPolicy }, { certificateArn: undefined, sslPolicy: undefined });
  });

  it("speaks HTTPS only, with a policy of TLS 1.2 and 1.3, when a certificate is configured", async () => {
    const program = await programOf("staging", { certificateArn: CERTIFICATE });
    assert.deepEqual(entranceOf(program), {
      internal: true,
      protocol: "HTTPS",
      port: 443,
      clients: ["10.0.0.0/16 tcp/443-443"],
      scheme: "https",
    });
    const { certificateArn, sslPolicy } = only(program, "Listener").inputs;
    assert.equal(certificateArn, CERTIFICATE);
    assert.equal(sslPolicy, "ELBSecurityPolicy-TLS13-1-2-2021-06");
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
    assert.deepEqual({ internal, clients }, { internal: false, clients: ["0.0.0.0/0 tcp/443-443"] });
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
      const listener = only(program, "Listener").inputs;
      assert.deepEqual(listener.defaultActions, [{ type: "forward", targetGroupArn: outputs.arn }]);
      assert.equal(listener.loadBalancerArn, only(program, "LoadBalancer").outputs.arn);
      assert.equal(only(program, "LoadBalancer").inputs.dropInvalidHeaderFields, true);
      assert.deepEqual(only(program, "Service").inputs.loadBalancers, [
        { targetGroupArn: outputs.arn, containerName: "service", containerPort: 8080 },
      ]);
    });
  }
});
