import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { DeclaredResource } from "../../local/program/resource.ts";
import type { Program } from "../../local/program.ts";
import { containersOf, environmentOf, ofType, only, programOf, STACKS } from "./declared-program.ts";

/** URNs of everything that the engine makes before a resource. */
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

/** What a replaced proxy brings along: each of them has its old one beside it until the service has moved. */
const REPLACED = [
  ["Proxy", "proxy"],
  ["ProxyTarget", "proxy"],
  ["ProxyDefaultTargetGroup", "proxy"],
  ["LogGroup", "proxy"],
  ["RolePolicy", "proxy-read-secret"],
  ["RolePolicy", "proxy-connect-service"],
] as const;

for (const stack of STACKS) {
  describe(`When the proxy of stack ${stack} is replaced`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    // The engine deletes what was replaced at the end of an update, after everything that depends on it was made or updated.
    it("nothing of it is deleted before its successor stands", () => {
      for (const [type, name] of REPLACED) {
        assert.notEqual(only(program, type, name).options.deleteBeforeReplace, true, `${type} ${name}`);
      }
      for (const { name, options } of [...ofType(program, "Proxy"), ...ofType(program, "ProxyTarget")]) {
        assert.equal(options.deleteBeforeReplace, false, name);
      }
    });

    it("its successor may have another name, and the same names stand in nothing that stands twice", () => {
      const proxy = only(program, "Proxy");
      assert.match(String(proxy.inputs.name), /-[0-9a-f]{8}$/);
      assert.equal(only(program, "LogGroup", "proxy").inputs.name, `/aws/rds/proxy/${proxy.inputs.name}`);
      for (const name of ["proxy-read-secret", "proxy-connect-service"]) {
        const { inputs, options } = only(program, "RolePolicy", name);
        assert.equal(inputs.name, undefined, name);
        assert.deepEqual(options.replaceOnChanges, ["policy"], name);
      }
    });

    it("the service moves before the update ends: it is told the new endpoint, and waited for until steady", () => {
      const service = only(program, "Service");
      const { endpoint } = only(program, "Proxy").outputs;
      for (const container of containersOf(program)) assert.equal(environmentOf(container).DB_HOST, endpoint);
      assert.ok(madeBefore(program, service).has(only(program, "TaskDefinition").urn));
      assert.equal(service.inputs.waitForSteadyState, true);
      assert.equal(service.options.customTimeouts.update, "30m");
      const earlier = madeBefore(program, service);
      for (const [type, name] of REPLACED) assert.ok(earlier.has(only(program, type, name).urn), `${type} ${name}`);
    });

    it("the service itself is not replaced with it: only its task definition says where the proxy is", () => {
      const { propertyDependencies, options } = only(program, "Service");
      const { urn } = only(program, "Proxy");
      assert.equal(options.replacementTrigger, undefined);
      assert.deepEqual(options.replaceOnChanges, []);
      const direct = Object.entries(propertyDependencies).filter(([, urns]) => urns.includes(urn));
      assert.deepEqual(direct, []);
      const told = Object.entries(only(program, "TaskDefinition").propertyDependencies);
      assert.deepEqual(
        told.filter(([, urns]) => urns.includes(urn)).map(([property]) => property),
        ["containerDefinitions"],
      );
    });

    it("another database is what replaces it, target and all", () => {
      const { resourceId } = only(program, "Instance").outputs;
      for (const type of ["Proxy", "ProxyTarget"]) {
        assert.equal(only(program, type).options.replacementTrigger, resourceId, type);
      }
    });
  });
}
