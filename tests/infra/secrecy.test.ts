import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { Program } from "../../local/program.ts";
import {
  containersOf,
  documentOf,
  environmentOf,
  ofType,
  only,
  PROJECT,
  programOf,
  STACKS,
} from "./declared-program.ts";

/** One value somewhere in a declaration, with the way to it. */
interface Leaf {
  readonly path: string;
  readonly key: string;
  readonly value: unknown;
}

/** Every value in a declaration. JSON inside texts, such as policies and container definitions, is looked into. */
function leavesOf(value: unknown, path: string, key = ""): readonly Leaf[] {
  // The pattern of a log's metric begins like JSON, and is none.
  if (typeof value === "string" && /^[[{]/.test(value) && !value.startsWith("{ $.")) {
    return leavesOf(JSON.parse(value), `${path} (JSON)`, key);
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, `${path}[${index}]`, key));
  if (typeof value !== "object" || value === null) return [{ path, key, value }];
  const environment = value as Readonly<Record<string, unknown>>;
  const pair = typeof environment.name === "string" && "value" in environment ? environment.name : undefined;
  return Object.entries(value).flatMap(([name, inner]) => [
    ...leavesOf(inner, `${path}.${name}`, pair !== undefined && name === "value" ? pair : name),
  ]);
}

function everything(program: Program): readonly Leaf[] {
  return [
    // What awsx makes is not declared here: it hands the registry's own login, which lasts hours, to what builds the image.
    ...program.resources
      .filter(({ madeBy }) => madeBy === undefined)
      .flatMap(({ type, name, inputs, outputs }) => [
        ...leavesOf(inputs, `${type} ${name} inputs`),
        ...leavesOf(outputs, `${type} ${name} outputs`),
      ]),
    ...leavesOf(program.outputs, "stack outputs"),
  ];
}

/** Inputs that speak of passwords and hold none. */
const HARMLESS: ReadonlySet<string> = new Set(["manageMasterUserPassword"]);

for (const stack of STACKS) {
  describe(`Stack ${stack} keeps no secret:`, () => {
    let program: Program;
    before(async () => {
      program = await programOf(stack);
    });

    it("no input, output or environment has a key for a password", () => {
      const speaking = everything(program).filter(({ key }) =>
        /pass(word|wd|phrase)|pwd|credential|api_?key/i.test(key),
      );
      assert.deepEqual([...new Set(speaking.map(({ key }) => key))], [...HARMLESS]);
      assert.deepEqual(new Set(speaking.map(({ value }) => value)), new Set([true]));
    });

    it("no text looks like a password in a URL, a signature or an access key", () => {
      const texts = everything(program).filter(({ value }) => typeof value === "string");
      assert.ok(texts.length > 300, `only ${texts.length} texts were looked at`);
      const suspicious = texts.filter(({ value }) =>
        /:\/\/[^/]*:[^/]*@|X-Amz-Signature|\b(AKIA|ASIA)[A-Z0-9]{16}\b/.test(String(value)),
      );
      assert.deepEqual(suspicious, []);
    });

    it("RDS makes, keeps and rotates the master password under the secret's own key", () => {
      const { inputs } = only(program, "Instance");
      assert.equal(inputs.manageMasterUserPassword, true);
      assert.equal(inputs.masterUserSecretKmsKeyId, only(program, "Key", "database-secret").outputs.arn);
      assert.equal(inputs.password, undefined);
      assert.equal(inputs.passwordWo, undefined);
      assert.deepEqual(ofType(program, "Secret"), []);
      assert.deepEqual(ofType(program, "SecretVersion"), []);
    });

    it("no container is given a secret or a password", () => {
      for (const container of containersOf(program)) {
        assert.equal("secrets" in container, false, container.name);
        assert.equal("environmentFiles" in container, false, container.name);
        assert.equal("repositoryCredentials" in container, false, container.name);
        const names = Object.keys(environmentOf(container));
        assert.deepEqual(
          names.filter((name) => /PASSWORD|SECRET|TOKEN|ACCESS_KEY/.test(name)),
          [],
          container.name,
        );
        assert.equal(names.length, container.environment.length, "a variable is declared twice");
      }
    });

    it("no policy but the proxy's reads a secret, and that one is exactly one statement", () => {
      const readers = ofType(program, "RolePolicy").flatMap((policy) =>
        documentOf(policy, "policy")
          .Statement.filter(({ Action }) =>
            [Action].flat().some((action) => /^(\*|secretsmanager:)/i.test(String(action))),
          )
          .map(({ Sid }) => `${policy.name} ${Sid}`),
      );
      assert.deepEqual(readers, ["proxy-read-secret ReadMasterSecret"]);
      const mentions = program.resources.filter(({ inputs }) => JSON.stringify(inputs).includes("GetSecretValue"));
      assert.deepEqual(
        mentions.map(({ name }) => name),
        ["proxy-read-secret"],
      );
    });

    it("the task's role holds exactly one statement", () => {
      const role = only(program, "Role", "service-task");
      const policies = ofType(program, "RolePolicy").filter(({ inputs }) => inputs.role === role.outputs.name);
      assert.deepEqual(
        policies.flatMap((policy) => documentOf(policy, "policy").Statement.map(({ Sid }) => Sid)),
        ["ConnectThroughProxy"],
      );
    });

    it("no policy allows all actions of a service", () => {
      const wide = ofType(program, "RolePolicy").flatMap((policy) =>
        documentOf(policy, "policy").Statement.flatMap(({ Action }) => [Action].flat()),
      );
      assert.equal(wide.length, 12);
      assert.deepEqual(
        wide.filter((action) => String(action).includes("*")),
        [],
      );
    });
  });
}

describe("The outputs of a stack", () => {
  const NAMES = [
    "alarmTopicArn",
    "clusterName",
    "dashboardName",
    "databaseIdentifier",
    "imageDigest",
    "imageRepositoryUrl",
    "logGroupName",
    "proxyArn",
    "proxyEndpoint",
    "proxyName",
    "proxyTargetGroup",
    "region",
    "secretArn",
    "serviceName",
    "serviceUrl",
  ];

  for (const stack of STACKS) {
    it(`are exactly the names that operators use, all of them known (${stack})`, async () => {
      const { outputs } = await programOf(stack);
      assert.deepEqual(Object.keys(outputs).sort(), NAMES);
      for (const [name, value] of Object.entries(outputs)) assert.match(String(value), /^[\w:/.!-]+$/, name);
    });
  }

  it("say where production is, and name its secret without its content", async () => {
    const program = await programOf("production");
    const { outputs } = program;
    const proxy = only(program, "Proxy").outputs;
    const [secret] = only(program, "Instance").outputs.masterUserSecrets as { readonly secretArn: string }[];
    assert.deepEqual(
      { ...outputs },
      {
        alarmTopicArn: only(program, "Topic").outputs.arn,
        clusterName: only(program, "Cluster").outputs.name,
        dashboardName: `${PROJECT}-production`,
        databaseIdentifier: only(program, "Instance").outputs.identifier,
        imageDigest: String(only(program, "Image").outputs.imageUri).split("@")[1],
        imageRepositoryUrl: only(program, "Repository").outputs.url,
        logGroupName: only(program, "LogGroup", "service").outputs.name,
        proxyArn: proxy.arn,
        proxyEndpoint: proxy.endpoint,
        proxyName: proxy.name,
        proxyTargetGroup: "default",
        region: "eu-west-2",
        secretArn: secret?.secretArn,
        serviceName: only(program, "Service").outputs.name,
        serviceUrl: `https://${only(program, "LoadBalancer").outputs.dnsName}`,
      },
    );
  });
});

describe("The declarations of every stack", () => {
  it("hold no Output that was turned into text, and nothing undefined in a name", async () => {
    for (const stack of STACKS) {
      const spoilt = everything(await programOf(stack)).filter(({ value }) =>
        /Calling \[to|\bundefined\b|\bNaN\b|\[object /.test(String(value)),
      );
      assert.deepEqual(
        spoilt.filter(({ value }) => value !== undefined),
        [],
        stack,
      );
    }
  });
});
