import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { containerEnvironment, environmentAdditions } from "../../local/container-environment.ts";
import { containers, declaredEnvironment, server } from "./container-fixture.ts";
import { eventually, isGone } from "./eventually.ts";

describe("A container of the local environment", () => {
  const { start, image, workspace } = containers();

  it("has exactly the declared environment and the documented additions", async () => {
    process.env.PGPASSWORD = "canary";
    try {
      const { container, lines } = await start(server, {
        credentials: { fullUri: "http://127.0.0.1:1/credentials", authorizationToken: "let-me-in" },
        hosts: [{ host: "proxy.example", port: 5432, address: "127.0.0.1", listenPort: 1 }],
        caFile: join(await image("", { "ca.pem": "" }), "ca.pem"),
        containerPort: 8080,
      });
      await container.port;
      await container.stop();
      const seen = lines[0]?.record?.environment as Record<string, string>;
      const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS, ...rest } = seen;
      assert.deepEqual(rest, {
        ...declaredEnvironment,
        AWS_EXECUTION_ENV: "AWS_ECS_FARGATE",
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "let-me-in",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_CONFIG_FILE: "/dev/null",
        ...(process.platform === "darwin" && { __CF_USER_TEXT_ENCODING: seen.__CF_USER_TEXT_ENCODING }),
      });
      assert.match(NODE_OPTIONS ?? "", /^--import=file:\/\/\/\S+\/preload\.mjs$/);
      assert.match(NODE_EXTRA_CA_CERTS ?? "", /\/ca\.pem$/);
    } finally {
      delete process.env.PGPASSWORD;
    }
  });

  it("keeps the AWS SDK away from a developer's own profiles", () => {
    const credentials = { fullUri: "http://127.0.0.1:1/credentials", authorizationToken: "let-me-in" };
    const environment = containerEnvironment("service", {}, { credentials }, "/preload.mjs");
    assert.equal(environment.AWS_SHARED_CREDENTIALS_FILE, "/dev/null");
    assert.equal(environment.AWS_CONFIG_FILE, "/dev/null");
  });

  it("documents its additions in one list", () => {
    assert.deepEqual(Object.keys(environmentAdditions), [
      "AWS_EXECUTION_ENV",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN",
      "AWS_SHARED_CREDENTIALS_FILE",
      "AWS_CONFIG_FILE",
      "NODE_EXTRA_CA_CERTS",
      "NODE_OPTIONS",
      "LOCAL_CONTAINER_NETWORK",
    ]);
  });

  it("has the given environment alone when nothing of AWS stands around it", () => {
    const environment = { ENV: "development", POSTGRES_PASSWORD: "static" };
    assert.deepEqual(containerEnvironment("service", environment, {}, "/preload.mjs"), environment);
  });

  it("keeps the Node options that the image wants", () => {
    const environment = containerEnvironment(
      "service",
      { NODE_OPTIONS: "--enable-source-maps" },
      { containerPort: 8080 },
      "/a folder/preload.mjs",
    );
    assert.equal(environment.NODE_OPTIONS, "--enable-source-maps --import=file:///a%20folder/preload.mjs");
  });

  it("is refused when its definition sets what the platform sets", () => {
    assert.throws(
      () =>
        containerEnvironment(
          "service",
          { AWS_EXECUTION_ENV: "mine" },
          { credentials: { fullUri: "", authorizationToken: "" } },
          "/preload.mjs",
        ),
      { code: "ENVIRONMENT_CONFLICT", message: /AWS_EXECUTION_ENV, which the platform sets/ },
    );
  });

  it("runs in the image's folder, as the declared user under root and as the current user otherwise", async () => {
    const { container, lines } = await start(server, { containerPort: 8080 });
    await container.port;
    const root = process.getuid?.() === 0;
    assert.equal(lines[0]?.record?.uid, root ? 1000 : process.getuid?.());
    assert.equal(lines[0]?.record?.gid, root ? 1000 : process.getgid?.());
    assert.match(String(lines[0]?.record?.cwd), /\/image-\w+$/);
  });

  it("gives its JSON lines parsed and the others as text", async () => {
    const { container, lines } = await start(`
      process.stdout.write('{"level":30,"msg":"gr');
      setTimeout(() => { process.stdout.write('üß"}\\nplain\\n{broken\\n'); console.error("warning"); }, 20);`);
    assert.deepEqual(await container.exited, { code: 0, signal: null });
    const base = { container: "service", stream: "stdout" };
    assert.deepEqual(
      lines.filter((line) => line.stream === "stdout"),
      [
        { ...base, text: '{"level":30,"msg":"grüß"}', record: { level: 30, msg: "grüß" } },
        { ...base, text: "plain" },
        { ...base, text: "{broken" },
      ],
    );
    assert.deepEqual(
      lines.filter((line) => line.stream === "stderr"),
      [{ container: "service", stream: "stderr", text: "warning" }],
    );
  });

  it("says how it ended and what it wrote last when it never listens", async () => {
    const { container } = await start('console.log("no grant"); process.exit(7);', { containerPort: 8080 });
    await assert.rejects(container.port, {
      code: "EXITED",
      message: 'container "service": exited with code 7 before it listened on port 8080. It wrote:\n  no grant',
    });
  });

  it("drains on SIGTERM", async () => {
    const { container, lines } = await start(server, { containerPort: 8080 });
    await container.port;
    assert.deepEqual(await container.stop(), { code: 0, signal: null });
    assert.equal(lines.at(-1)?.text, "drained");
  });

  it("is killed after its stop timeout, with whatever it started", async () => {
    const main = `
      import { spawn } from "node:child_process";
      process.on("SIGTERM", () => console.log("ignored"));
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      console.log(JSON.stringify({ started: child.pid }));
      setInterval(() => {}, 1000);`;
    const { container, lines } = await start(main, {}, { stopTimeoutSeconds: 0.2 });
    if (lines.length === 0) await once(container.lines, "line", { signal: AbortSignal.timeout(5_000) });
    assert.deepEqual(await container.stop(), { code: null, signal: "SIGKILL" });
    assert.equal(lines.at(-1)?.text, "ignored");
    const started = Number(lines[0]?.record?.started);
    await eventually("the process that it started is gone", 5_000, () => isGone(started));
  });

  it("leaves nothing of itself behind when it ends by itself", async () => {
    const { container, lines } = await start(`
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
      child.once("spawn", () => { console.log(JSON.stringify({ started: child.pid })); process.exit(0); });`);
    await container.exited;
    const started = Number(lines[0]?.record?.started);
    await eventually("the process that it started is gone", 5_000, () => isGone(started));
  });

  it("refuses a command that is not node", async () => {
    await assert.rejects(start("", {}, { command: ["sh", "-c", "env"] }), {
      code: "COMMAND_REFUSED",
      message: /its command is \["sh","-c","env"\]; only \["node", …\]/,
    });
  });

  it("refuses a user that is not numeric", async () => {
    await assert.rejects(start("", {}, { user: "node" }), { code: "USER_REFUSED", message: /its user is "node"/ });
  });

  it("runs from a folder that its user may not enter, given a workspace", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const locked = await image(server);
    await chmod(locked, 0o700);
    await assert.rejects(start("", { folder: locked, workspace: undefined }), {
      code: "START_FAILED",
      message: /may not use .*; give a workspace/,
    });
    const { container } = await start("", { folder: locked, workspace: await workspace(), containerPort: 8080 });
    assert.ok((await container.port) > 0);
  });

  it("tells the reaper of its process group", async () => {
    const watched: unknown[] = [];
    const { container } = await start("", {
      reaper: { watchProcess: (child, options) => watched.push([child.pid, options]) },
    });
    assert.deepEqual(watched, [[container.pid, { group: true }]]);
  });
});
