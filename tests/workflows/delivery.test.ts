import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { containerOf, only, programOf, STACKS } from "../infra/declared-program.ts";
import { expression, JOBS, job, STEPS, scriptOf, scriptsOf, stepNamed, workflow } from "./workflow-files.ts";

/** Commands of Pulumi that write: to AWS or to the state. */
const WRITES =
  /pulumi\s+(?:up|update|refresh|destroy|import|cancel|state|stack\s+(?:init|rm|import|rename|change))\b|--create\b/;

describe("A deployment", () => {
  it("takes the image that was built once through staging to production", () => {
    assert.deepEqual(Object.keys(workflow("deploy.yml").jobs), ["image", "staging", "production"]);
    const digest = expression("needs.image.outputs.digest");
    for (const stack of ["staging", "production"]) {
      const { uses, with: inputs } = job("deploy.yml", stack);
      assert.deepEqual([uses, inputs], ["./.github/workflows/stack.yml", { stack, digest }]);
    }
    assert.deepEqual(job("deploy.yml", "staging").needs, "image");
    assert.deepEqual(job("deploy.yml", "production").needs, ["image", "staging"]);
    const builds = JOBS.filter(([, found]) => /docker (?:buildx )?build\b/.test(scriptsOf(found)));
    assert.deepEqual(
      builds.map(([where]) => where),
      ["image.yml image"],
    );
  });

  it("passes the environment of its stack, where someone approves production", () => {
    assert.equal(job("stack.yml", "deploy").environment, expression("inputs.stack"));
  });

  it("is alone at its stack, and is never cut off", () => {
    assert.deepEqual(job("stack.yml", "deploy").concurrency, {
      group: `stack-${expression("inputs.stack")}`,
      "cancel-in-progress": false,
    });
  });

  it("pushes the layout that was tried, sees that its digest is the same, deploys under the policy pack, then tries the service", () => {
    const names = (job("stack.yml", "deploy").steps ?? []).flatMap(({ name }) => name ?? []);
    assert.deepEqual(names.slice(-4), [
      "Deploy what the program builds, where there is no repository of images",
      "Push the image",
      "Deploy",
      "Smoke test",
    ]);
    const push = scriptOf(stepNamed(job("stack.yml", "deploy"), "Push the image"));
    assert.match(push, /"\$CRANE" push image "\$repository:app-\$\{DIGEST:7:20\}"/);
    assert.match(push, /test "\$\("\$CRANE" digest "\$repository@\$DIGEST"\)" = "\$DIGEST"/);
    const deploy = scriptOf(stepNamed(job("stack.yml", "deploy"), "Deploy"));
    assert.match(deploy, /^pulumi up --yes --non-interactive --stack "\$STACK" --policy-pack policy /);
    assert.match(deploy, /--config "imageDigest=\$DIGEST"/);
    assert.equal(scriptOf(stepNamed(job("stack.yml", "deploy"), "Smoke test")), 'node delivery/smoke.ts "$STACK"');
  });

  it("tags images as the repository's lifecycle knows them", async () => {
    const { inputs } =
      (await programOf("production")).resources.find(({ type }) => type === "awsx:ecr:Repository") ?? {};
    assert.match(JSON.stringify(inputs?.lifecyclePolicy), /"tagPrefixList":\["app-"\]/);
  });

  it("keeps the image as long as an approval may take, and becomes a role only after everything was installed", () => {
    assert.deepEqual(job("deploy.yml", "image").with, { "retention-days": 30 });
    for (const [where, { steps = [] }] of JOBS) {
      const credentials = steps.findIndex(({ uses }) => uses?.startsWith("aws-actions/"));
      const install = steps.findIndex(({ run }) => run?.includes("npm ci"));
      if (credentials >= 0) assert.ok(install >= 0 && install < credentials, where);
    }
  });
});

describe("The image", () => {
  const run = scriptOf(stepNamed(job("image.yml", "image"), "Run it read-only, as its user, without capabilities"));
  const build = scriptOf(stepNamed(job("image.yml", "image"), "Build"));

  it("is built for the declared processor, on a runner that has it", async () => {
    const platforms = await Promise.all(
      STACKS.map(async (stack) => only(await programOf(stack), "Image").inputs.platform),
    );
    assert.deepEqual(platforms, ["linux/arm64", "linux/arm64"]);
    assert.match(build, /--platform linux\/arm64 /);
    assert.equal(job("image.yml", "image")["runs-on"], "ubuntu-24.04-arm");
  });

  it("is one manifest with the same digest for the same sources", () => {
    assert.match(build, /--provenance=false/);
    assert.match(build, /--output type=oci,tar=false,dest=image,rewrite-timestamp=true/);
    assert.equal(stepNamed(job("image.yml", "image"), "Build").env?.SOURCE_DATE_EPOCH, "0");
  });

  it("runs by its digest as the task definition has it: read-only, its user, no capabilities, the migration first", async () => {
    const service = containerOf(await programOf("production"), "service");
    assert.equal(service.readonlyRootFilesystem, true);
    assert.deepEqual(service.linuxParameters, { capabilities: { drop: ["ALL"] }, initProcessEnabled: true });
    for (const flag of [
      "--read-only",
      "--cap-drop ALL",
      `--user ${service.user}`,
      "--init",
      "--security-opt no-new-privileges",
    ])
      assert.ok(run.includes(flag), flag);
    const migrate = (containerOf(await programOf("production"), "migrate").command as readonly string[]).join(" ");
    assert.ok(run.indexOf(`"\${container[@]}" ${migrate}`) < run.indexOf("docker run --detach"));
    assert.ok(run.includes(`"\${container[@]}" ${migrate}`));
    assert.match(run, /"127\.0\.0\.1:5000\/application@\$DIGEST"/);
    assert.match(run, /http:\/\/127\.0\.0\.1:8080\/livez/);
  });

  it("finds a database of the declared major version, pinned by digest, that only the runner reaches", async () => {
    const { postgres } = job("image.yml", "image").services ?? {};
    const [, major] = /^postgres:(\d+)\.\d+@sha256:[0-9a-f]{64}$/.exec(postgres?.image ?? "") ?? [];
    assert.equal(major, String(only(await programOf("production"), "Instance").inputs.engineVersion).split(".")[0]);
    assert.deepEqual(postgres?.ports, ["127.0.0.1:5432:5432"]);
  });
});

describe("A preview", () => {
  it("of the workflows writes nothing", () => {
    for (const [where, found] of JOBS.filter(([file]) => !file.startsWith("stack.yml")))
      assert.doesNotMatch(scriptsOf(found), WRITES, where);
    assert.match(scriptsOf(job("stack.yml", "deploy")), WRITES);
  });

  it("on AWS covers each stack, as the role that reads, with the policy pack and the image that runs", () => {
    const account = job("preview.yml", "account");
    assert.deepEqual([...(account.strategy?.matrix.stack ?? [])].sort(), [...STACKS].sort());
    assert.equal(account.environment, `${expression("matrix.stack")}-preview`);
    const preview = scriptOf(stepNamed(account, "Preview"));
    assert.match(preview, /digest=\$\(node delivery\/running-image\.ts "\$STACK"\)/);
    assert.match(preview, /pulumi preview --non-interactive --stack "\$STACK" --policy-pack policy/);
    assert.match(preview, /--config "imageDigest=\$digest"/);
  });

  it("offline covers each stack, against what is merged into, for the summary and for the comment", () => {
    const offline = job("preview.yml", "offline");
    const script = scriptOf(stepNamed(offline, "Preview every stack"));
    assert.match(script, /for stack in staging production; do/);
    assert.match(script, /npm run --silent preview -- --stack "\$stack" --against HEAD\^1 --markdown >> preview\.md/);
    assert.match(script, /cat preview\.md >> "\$GITHUB_STEP_SUMMARY"/);
    assert.equal(offline.steps?.[0]?.with?.["fetch-depth"], 2);
    assert.deepEqual(offline.steps?.at(-1)?.with, {
      name: "offline-preview",
      path: "preview.md",
      "if-no-files-found": "error",
      "retention-days": 1,
    });
  });

  it("is called off by the next push, but no deployment is", () => {
    assert.equal(workflow("preview.yml").concurrency?.["cancel-in-progress"], true);
    assert.equal(workflow("deploy.yml").concurrency, undefined);
  });

  it("is made by the CLI that has the version of the SDK", () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      dependencies: Readonly<Record<string, string>>;
    };
    const installed = STEPS.filter(([, { uses }]) => uses?.startsWith("pulumi/actions@"));
    assert.equal(installed.length, 4);
    for (const [where, step] of installed) {
      assert.equal(step.with?.["pulumi-version"], dependencies["@pulumi/pulumi"], where);
      assert.equal(step.with?.command, undefined, where);
    }
  });
});
