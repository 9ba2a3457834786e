import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { declaredFirewall } from "../../local/firewall.ts";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { ofType, only, programOf, STACKS } from "./declared-program.ts";

/** A rule in words, with security groups by their logical names. */
function inWords(program: Program, rule: DeclaredResource): string {
  const nameOf = (id: unknown) => ofType(program, "SecurityGroup").find((group) => group.id === id)?.name ?? String(id);
  const { inputs } = rule;
  const direction = rule.type.endsWith("EgressRule") ? "egress" : "ingress";
  const peer = inputs.referencedSecurityGroupId ?? inputs.cidrIpv4 ?? inputs.cidrIpv6 ?? inputs.prefixListId;
  const ports = inputs.fromPort === inputs.toPort ? inputs.fromPort : `${inputs.fromPort}-${inputs.toPort}`;
  const arrow = direction === "egress" ? "->" : "<-";
  const place = `${nameOf(inputs.securityGroupId)} ${arrow} ${nameOf(peer)}`;
  return `${direction} ${place} ${inputs.ipProtocol}/${ports} "${inputs.description}"`;
}

function rulesOf(program: Program): readonly DeclaredResource[] {
  return [...ofType(program, "SecurityGroupIngressRule"), ...ofType(program, "SecurityGroupEgressRule")];
}

const CLIENT_PORT = { production: 443, staging: 80 } as const;

for (const stack of STACKS) {
  describe(`The security groups of stack ${stack}`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    it("have exactly the rules of the one chain, each hop with egress at its source and ingress at its target", () => {
      const s3 = only(program, "VpcEndpoint", "network-s3").outputs.prefixListId;
      assert.match(String(s3), /^pl-/);
      assert.deepEqual(
        rulesOf(program)
          .map((rule) => inWords(program, rule))
          .sort(),
        [
          'egress load-balancer -> service tcp/8080 "load-balancer to service"',
          'egress proxy -> database tcp/5432 "proxy to database"',
          'egress service -> network-endpoints tcp/443 "service to endpoints"',
          `egress service -> ${s3} tcp/443 "service to S3, for image layers"`,
          'egress service -> proxy tcp/5432 "service to proxy"',
          'ingress database <- proxy tcp/5432 "database from proxy"',
          `ingress load-balancer <- 10.0.0.0/16 tcp/${CLIENT_PORT[stack]} "load-balancer from clients"`,
          ...(stack === "production"
            ? ['ingress load-balancer <- 10.0.0.0/16 tcp/80 "load-balancer from clients, to be redirected"']
            : []),
          'ingress network-endpoints <- service tcp/443 "endpoints from service"',
          'ingress proxy <- service tcp/5432 "proxy from service"',
          'ingress service <- load-balancer tcp/8080 "service from load-balancer"',
        ].sort(),
      );
    });

    it("are open to nobody in general: no range of the world, no protocol but TCP, no range of ports", () => {
      for (const { name, type, inputs } of rulesOf(program)) {
        assert.notEqual(inputs.cidrIpv4, "0.0.0.0/0", name);
        assert.equal(inputs.cidrIpv6, undefined, name);
        assert.equal(inputs.ipProtocol, "tcp", name);
        assert.equal(inputs.fromPort, inputs.toPort, name);
        if (type.endsWith("EgressRule")) assert.equal(inputs.cidrIpv4, undefined, name);
        const peers = [inputs.referencedSecurityGroupId, inputs.cidrIpv4, inputs.prefixListId];
        assert.equal(peers.filter((peer) => peer !== undefined).length, 1, name);
      }
    });

    it("are five, each described and without inline rules, which would fight the standalone ones", () => {
      const groups = ofType(program, "SecurityGroup");
      assert.deepEqual(groups.map(({ name }) => name).sort(), [
        "database",
        "load-balancer",
        "network-endpoints",
        "proxy",
        "service",
      ]);
      for (const { name, inputs } of groups) {
        assert.deepEqual(Object.keys(inputs).sort(), ["description", "vpcId"], name);
        assert.notEqual(inputs.description, "", name);
      }
      assert.deepEqual(ofType(program, "SecurityGroupRule"), []);
    });

    it("let packets pass along the chain only, and never from the service to the database", () => {
      const firewall = declaredFirewall(program);
      const names = ofType(program, "SecurityGroup").map(({ name }) => name);
      const ids = (name: string) => [only(program, "SecurityGroup", name).id];
      const ports = [22, 80, 443, 5432, 8080];
      const open = names.flatMap((from) =>
        names.flatMap((to) =>
          ports.filter((port) => firewall.allows(ids(from), ids(to), port)).map((port) => `${from} -> ${to}:${port}`),
        ),
      );
      assert.deepEqual(open.sort(), [
        "load-balancer -> service:8080",
        "proxy -> database:5432",
        "service -> network-endpoints:443",
        "service -> proxy:5432",
      ]);
    });

    it("are on exactly the network interfaces that they are named for", () => {
      const id = (name: string) => only(program, "SecurityGroup", name).id;
      const network = only(program, "Service").inputs.networkConfiguration as Record<string, unknown>;
      assert.deepEqual(only(program, "Instance").inputs.vpcSecurityGroupIds, [id("database")]);
      assert.deepEqual(only(program, "Proxy").inputs.vpcSecurityGroupIds, [id("proxy")]);
      assert.deepEqual(network.securityGroups, [id("service")]);
      assert.deepEqual(only(program, "LoadBalancer").inputs.securityGroups, [id("load-balancer")]);
      for (const endpoint of ofType(program, "VpcEndpoint")) {
        const interfaces = endpoint.inputs.vpcEndpointType === "Interface" ? [id("network-endpoints")] : undefined;
        assert.deepEqual(endpoint.inputs.securityGroupIds, interfaces, endpoint.name);
      }
    });
  });
}
