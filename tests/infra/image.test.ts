import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { describe, it } from "mocha";
import { baseImage, bundleApplication, contentHash } from "../../infra/bundle.ts";
import type { Program } from "../../local/program.ts";
import { containerOf, containersOf, only, programOf } from "./declared-program.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The folder that the image is built from, as the program declared it. */
function contextOf(program: Program): string {
  return path.join(ROOT, String(only(program, "Image").inputs.context));
}

/** Instructions of the Dockerfile that goes into the build, by keyword. */
function instructions(program: Program, keyword: string): readonly Instruction[] {
  const dockerfile = DockerfileParser.parse(readFileSync(path.join(contextOf(program), "Dockerfile"), "utf8"));
  return dockerfile.getInstructions().filter((instruction) => instruction.getKeyword() === keyword);
}

function argumentsOf(instruction: Instruction | undefined): readonly string[] {
  assert.ok(instruction, "the Dockerfile lacks an instruction");
  return instruction.getArguments().map((argument) => argument.getValue());
}

describe("The image", () => {
  it("is built from one bundle, its source map and the migrations, and nothing else", async () => {
    const context = contextOf(await programOf("production"));
    assert.deepEqual(readdirSync(context).sort(), ["Dockerfile", "main.js", "main.js.map", "migrations"]);
    assert.deepEqual(readdirSync(path.join(context, "migrations")), readdirSync(path.join(ROOT, "app/migrations")));
    assert.match(readFileSync(path.join(context, "main.js"), "utf8"), /\/\/# sourceMappingURL=main\.js\.map\s*$/);
    const { sources } = JSON.parse(readFileSync(path.join(context, "main.js.map"), "utf8")) as { sources: string[] };
    assert.ok(sources.some((source) => source.endsWith("app/main.ts")));
    assert.deepEqual(
      sources.filter((source) => path.isAbsolute(source)),
      [],
    );
  });

  it("can be read by the image's user, whatever umask its builder has", async () => {
    const context = contextOf(await programOf("production"));
    for (const file of ["main.js", "main.js.map", "migrations/0001_role-time-outs.sql"]) {
      assert.equal(statSync(path.join(context, file)).mode & 0o777, 0o644, file);
    }
    for (const folder of [".", "migrations"])
      assert.equal(statSync(path.join(context, folder)).mode & 0o777, 0o755, folder);
  });

  it("starts without anything installed beside it", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["main.js", "--help"], {
      cwd: contextOf(await programOf("production")),
      env: {},
      timeout: 10_000,
    });
    assert.match(stdout, /serve/);
  });

  it("has a tag that is the hash of what it is built from, the same at each evaluation", async () => {
    const first = bundleApplication();
    assert.deepEqual(bundleApplication(), first);
    const { inputs } = only(await programOf("production"), "Image");
    assert.equal(inputs.imageTag, `app-${first.hash}-arm64`);
    assert.equal(inputs.context, first.context);
    assert.equal(inputs.dockerfile, `${first.context}/Dockerfile`);
    assert.ok(first.context.endsWith(first.hash));
    assert.ok(!path.isAbsolute(first.context), "an absolute path would differ from machine to machine");
  });

  it("has the same tag whether it was built now or before", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "image-"));
    try {
      const built = bundleApplication(path.join(folder, "record.json"));
      assert.deepEqual(readdirSync(folder), ["record.json"]);
      assert.deepEqual(bundleApplication(), built);
      assert.deepEqual(bundleApplication(path.join(folder, "record.json")), built);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has every file of its build context in that hash", async () => {
    const context = contextOf(await programOf("production"));
    const names = readdirSync(context, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(context, path.join(entry.parentPath, entry.name)));
    assert.ok(names.length > 4, names.join(", "));
    const files = new Map(names.map((name) => [name, readFileSync(path.join(context, name))]));
    assert.equal(contentHash(files), path.basename(context));
  });

  it("has another tag when any file of the build is another, or is named otherwise", () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const files: [string, Uint8Array][] = [
      ["Dockerfile", bytes("FROM a")],
      ["main.js", bytes("1")],
      ["migrations/1.sql", bytes("create")],
    ];
    const variants = [
      files,
      ...files.map((_, changed) =>
        files.map(([name, content], index) => [name, index === changed ? bytes("x") : content] as const),
      ),
      ...files.map((_, changed) =>
        files.map(([name, content], index) => [index === changed ? "y" : name, content] as const),
      ),
      files.slice(1),
      [...files, ["migrations/2.sql", bytes("")] as const],
    ];
    const hashes = variants.map((variant) => contentHash(new Map(variant)));
    assert.equal(new Set(hashes).size, variants.length);
    assert.equal(contentHash(new Map([...files].reverse())), hashes[0]);
  });

  it("has one key for its platform and the task's processor", async () => {
    for (const [cpuArchitecture, platform, suffix] of [
      ["ARM64", "linux/arm64", "arm64"],
      ["X86_64", "linux/amd64", "x86-64"],
    ] as const) {
      const program = await programOf("production", { cpuArchitecture });
      const { inputs } = only(program, "Image");
      assert.equal(inputs.platform, platform);
      assert.ok(String(inputs.imageTag).endsWith(`-${suffix}`));
      const expected = { cpuArchitecture, operatingSystemFamily: "LINUX" };
      assert.deepEqual(only(program, "TaskDefinition").inputs.runtimePlatform, expected);
    }
  });

  it("is pinned by its digest in each container", async () => {
    const program = await programOf("production");
    const { imageUri } = only(program, "Image").outputs;
    assert.match(String(imageUri), /^\d{12}\.dkr\.ecr\.eu-west-2\.amazonaws\.com\/[^@]+@sha256:[0-9a-f]{64}$/);
    assert.deepEqual(
      containersOf(program).map(({ image }) => image),
      [imageUri, imageUri],
    );
  });

  it("is one that is in the repository already, where a digest names it, and nothing is built or pushed", async () => {
    const digest = `sha256:${"4f".repeat(32)}`;
    const program = await programOf("production", { imageDigest: digest });
    const { url, repository } = only(program, "Repository").outputs as { url: string; repository: { arn: string } };
    assert.deepEqual(
      containersOf(program).map(({ image }) => image),
      [`${url}@${digest}`, `${url}@${digest}`],
    );
    assert.equal(program.outputs.imageDigest, digest);
    assert.deepEqual(
      program.resources.filter(({ type }) => /Image$/.test(type)).map(({ type }) => type),
      ["passwordless-postgres:infra:ApplicationImage"],
    );
    const start = JSON.stringify(only(program, "RolePolicy", "service-start").inputs.policy);
    assert.ok(start.includes(repository.arn), "the tasks may pull from this repository and no other");
  });

  it("tells its digest and its repository, from which the next stack gets it", async () => {
    const program = await programOf("staging");
    const [repository, digest] = String(only(program, "Image").outputs.imageUri).split("@");
    assert.deepEqual([program.outputs.imageRepositoryUrl, program.outputs.imageDigest], [repository, digest]);
  });

  it("goes to a repository that is scanned, never moves a tag, keeps the last twenty, and what no tag leads to for two weeks", async () => {
    const { inputs } = only(await programOf("production"), "Repository");
    assert.equal(inputs.imageTagMutability, "IMMUTABLE");
    assert.deepEqual(inputs.imageScanningConfiguration, { scanOnPush: true });
    assert.equal(inputs.forceDelete, false);
    assert.equal(only(await programOf("staging"), "Repository").inputs.forceDelete, true);
    const { rules } = inputs.lifecyclePolicy as { rules: Record<string, unknown>[] };
    assert.deepEqual(
      rules.map(({ description: _, ...rule }) => rule),
      [
        { tagStatus: "tagged", tagPrefixList: ["app-"], maximumNumberOfImages: 20 },
        { tagStatus: "untagged", maximumAgeLimit: 14 },
      ],
    );
  });
});

describe("The Dockerfile", () => {
  it("copies only what is in the build context", async () => {
    const program = await programOf("production");
    const copies = instructions(program, "COPY").map(argumentsOf);
    const sources = copies.flatMap((words) => words.slice(0, -1));
    assert.deepEqual([...sources].sort(), ["main.js", "main.js.map", "migrations"]);
    for (const source of sources)
      assert.ok(existsSync(path.join(contextOf(program), source)), `${source} does not exist`);
  });

  it("runs as the task definition's user, with the service's command", async () => {
    const program = await programOf("production");
    const [user] = instructions(program, "USER");
    assert.equal(argumentsOf(user)[0], containerOf(program, "service").user);
    const [command] = instructions(program, "CMD");
    assert.ok(command);
    assert.deepEqual(JSON.parse(command.getArgumentsContent() ?? ""), containerOf(program, "service").command);
  });

  it("starts from a base pinned by the digest that the task definition names", async () => {
    const program = await programOf("production");
    const froms = instructions(program, "FROM").map((from) => argumentsOf(from)[0]);
    assert.equal(froms.length, 1);
    for (const { dockerLabels } of containersOf(program)) {
      const labels = dockerLabels as Record<string, string>;
      const base = `${labels["org.opencontainers.image.base.name"]}@${labels["org.opencontainers.image.base.digest"]}`;
      assert.equal(base, froms[0]);
    }
  });

  it("installs nothing", async () => {
    const program = await programOf("production");
    assert.deepEqual(instructions(program, "RUN"), []);
    assert.deepEqual(instructions(program, "ADD"), []);
  });

  it("is refused when its base is not pinned", () => {
    assert.throws(() => baseImage("FROM node:24-alpine\n"), /must pin its image by @sha256 digest/);
    const digest = `sha256:${"a".repeat(64)}`;
    assert.deepEqual(baseImage(`# comment\nFROM registry/node:24@${digest}\nUSER x\n`), {
      name: "registry/node:24",
      digest,
    });
  });
});
