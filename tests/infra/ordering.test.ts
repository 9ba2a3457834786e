import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { only, programOf, STACKS } from "./declared-program.ts";

/**
 * URNs of everything that the engine makes before a resource: what the resource itself was sent with, and what that was sent with.
 * A component in a list brings in nothing of its children.
 */
function madeBefore(program: Program, resource: DeclaredResource): ReadonlySet<string> {
  const byUrn = new Map(program.resources.map((candidate) => [candidate.urn, candidate]));
  const seen = new Set<string>();
  const visit = (urns: readonly string[]) => {
    for (const urn of urns.filter((candidate) => !seen.has(candidate))) {
      seen.add(urn);
      visit(byUrn.get(urn)?.dependencies ?? []);
    }
  };
  visit(resource.dependencies);
  return seen;
}

type Name = readonly [type: string, name: string];

const PROXY_WORKS: readonly Name[] = [
  ["RolePolicy", "proxy-read-secret"],
  ["SecurityGroupEgressRule", "proxy-to-database-egress"],
  ["SecurityGroupIngressRule", "proxy-to-database-ingress"],
  ["Instance", "database"],
  ["LogGroup", "proxy"],
  ["Role", "proxy"],
  ["SecurityGroup", "proxy"],
  ["Key", "database-secret"],
];

const TASK_STARTS: readonly Name[] = [
  ["RolePolicy", "service-start"],
  ["SecurityGroupEgressRule", "service-to-endpoints-egress"],
  ["SecurityGroupIngressRule", "service-to-endpoints-ingress"],
  ["SecurityGroupEgressRule", "service-to-s3-egress"],
  ["VpcEndpoint", "network-ecr-api"],
  ["VpcEndpoint", "network-ecr-dkr"],
  ["VpcEndpoint", "network-logs"],
  ["VpcEndpoint", "network-s3"],
  ["LogGroup", "service"],
  ["Image", "application"],
];

const ORDER: readonly (readonly [later: Name, earlier: readonly Name[]])[] = [
  [
    ["Instance", "database"],
    [
      ["LogGroup", "database-postgresql"],
      ["LogGroup", "database-upgrade"],
      ["Key", "database-secret"],
      ["Key", "database-storage"],
      ["ParameterGroup", "database"],
      ["SubnetGroup", "database"],
    ],
  ],
  [["Proxy", "proxy"], PROXY_WORKS],
  [
    ["ProxyTarget", "proxy"],
    [...PROXY_WORKS, ["Proxy", "proxy"], ["ProxyDefaultTargetGroup", "proxy"]],
  ],
  [
    ["Service", "service"],
    [
      ...PROXY_WORKS,
      ...TASK_STARTS,
      ["ProxyTarget", "proxy"],
      ["ProxyDefaultTargetGroup", "proxy"],
      ["RolePolicy", "proxy-connect-service"],
      ["SecurityGroupEgressRule", "service-to-proxy-egress"],
      ["SecurityGroupIngressRule", "service-to-proxy-ingress"],
      ["Listener", "load-balancer"],
      ["SecurityGroupEgressRule", "load-balancer-to-service-egress"],
      ["SecurityGroupIngressRule", "load-balancer-to-service-ingress"],
    ],
  ],
  [["Target", "service"], [["Service", "service"]]],
];

/** What needs no wait by closure of others: said at the resource itself, or a change elsewhere could lose it. */
const OWN: readonly (readonly [later: Name, earlier: readonly Name[]])[] = [
  [["Proxy", "proxy"], PROXY_WORKS.slice(0, 5)],
  [["ProxyTarget", "proxy"], PROXY_WORKS.slice(0, 4)],
  [
    ["Service", "service"],
    [
      ["ProxyTarget", "proxy"],
      ["RolePolicy", "proxy-connect-service"],
      ["Listener", "load-balancer"],
      ...TASK_STARTS.slice(0, 8),
    ],
  ],
];

for (const stack of STACKS) {
  describe(`The order in which stack ${stack} is made`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    for (const [[type, name], earlier] of ORDER) {
      for (const [earlierType, earlierName] of earlier) {
        it(`makes ${type} ${name} after ${earlierType} ${earlierName}`, () => {
          const before = madeBefore(program, only(program, type, name));
          assert.ok(before.has(only(program, earlierType, earlierName).urn));
        });
      }
    }

    for (const [[type, name], earlier] of OWN) {
      it(`is said at ${type} ${name} itself`, () => {
        const own = only(program, type, name).dependencies;
        const missing = earlier.filter(([t, n]) => !own.includes(only(program, t, n).urn));
        assert.deepEqual(missing, []);
      });
    }

    it("names no component where its children are meant, and nothing that is not declared", () => {
      const byUrn = new Map(program.resources.map((resource) => [resource.urn, resource]));
      for (const { urn, dependencies } of program.resources) {
        for (const dependency of dependencies) {
          const resource = byUrn.get(dependency);
          assert.ok(resource, `${urn} waits for ${dependency}, which is not declared`);
          assert.doesNotMatch(resource.type, /:infra:/, `${urn} waits for a component`);
        }
      }
    });

    it("never waits in a circle", () => {
      for (const resource of program.resources) {
        assert.ok(!madeBefore(program, resource).has(resource.urn), resource.urn);
      }
    });
  });
}
