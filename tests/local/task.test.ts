import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { afterEach, describe, it } from "mocha";
import type { ContainerLine } from "../../local/container-log.ts";
import type { DeclaredContainer } from "../../local/declared.ts";
import { runTask, type Task, type TaskSurroundings } from "../../local/task.ts";
import { containers as fixture } from "./container-fixture.ts";

const files = {
  "serve.js": `
    import http from "node:http";
    process.on("SIGTERM", () => { console.log("service stops"); process.exit(0); });
    http.createServer().listen(8080, "0.0.0.0", () => console.log("service listens"));`,
  "wait.js": `
    process.on("SIGTERM", () => { console.log("sidecar stops"); process.exit(0); });
    console.log("sidecar runs");
    setInterval(() => {}, 1000);`,
  "migrate.js": 'setTimeout(() => console.log("migrated"), 50);',
  "fail.js": 'console.log("permission denied for schema public"); process.exitCode = 3;',
  "stuck.js": `
    process.on("SIGTERM", () => { console.log("stuck stops"); process.exit(0); });
    console.log("waits for the lock");
    setInterval(() => {}, 1000);`,
};

const base = { environment: {}, user: "1000:1000", stopTimeoutSeconds: 5, startTimeoutSeconds: 120, dockerLabels: {} };

function migration(script: string, changes: Partial<DeclaredContainer> = {}): DeclaredContainer {
  return { ...base, name: "migration", essential: false, command: ["node", script], dependsOn: [], ...changes };
}

function service(condition: string, changes: Partial<DeclaredContainer> = {}): DeclaredContainer {
  const dependsOn = [{ containerName: "migration", condition }];
  return { ...base, name: "service", essential: true, command: ["node", "serve.js"], dependsOn, ...changes };
}

describe("A task of the local environment", () => {
  const { image, workspace } = fixture();
  const tasks: Task[] = [];
  const lines: ContainerLine[] = [];
  const texts = (): string[] => lines.map(({ text }) => text);

  const heardLine = new EventEmitter<{ line: [] }>();

  /** Waits until a container has written this, at most five seconds. */
  async function heard(text: string): Promise<void> {
    const signal = AbortSignal.timeout(5_000);
    while (!texts().includes(text)) await once(heardLine, "line", { signal });
  }

  async function run(containers: DeclaredContainer[], changes: Partial<TaskSurroundings> = {}): Promise<Task> {
    const folder = await image("", files);
    lines.length = 0;
    const onLine = (line: ContainerLine): void => {
      lines.push(line);
      heardLine.emit("line");
    };
    const surroundings = { folder, workspace: await workspace(), onLine, ...changes };
    const task = await runTask({ containers, containerName: "service", containerPort: 8080 }, surroundings);
    tasks.push(task);
    return task;
  }

  afterEach(async () => {
    await Promise.all(tasks.splice(0).map((task) => task.stop()));
  });

  it("starts the application after the migration has succeeded, in whatever order they are defined", async () => {
    const task = await run([service("SUCCESS"), migration("migrate.js")]);
    await heard("service listens");
    assert.deepEqual(texts(), ["migrated", "service listens"]);
    assert.deepEqual(
      task.containers.map(({ name }) => name),
      ["migration", "service"],
    );
  });

  it("fails when the migration fails, says which, with what code and what it wrote, and starts nothing else", async () => {
    await assert.rejects(run([migration("fail.js"), service("SUCCESS")]), {
      code: "EXITED",
      container: "migration",
      message:
        'container "migration": exited with code 3 and had to succeed before "service" starts. It wrote:\n' +
        "  permission denied for schema public",
    });
    assert.deepEqual(texts(), ["permission denied for schema public"]);
  });

  it("starts the application after a container that had only to complete, even with a failure", async () => {
    await run([migration("fail.js"), service("COMPLETE")]);
    await heard("service listens");
    assert.deepEqual(texts(), ["permission denied for schema public", "service listens"]);
  });

  it("does not wait for the end of a container that had only to start, and stops the dependent one first", async () => {
    const task = await run([migration("wait.js"), service("START")]);
    await heard("service listens");
    await heard("sidecar runs");
    await task.stop();
    assert.deepEqual(texts().slice(-2), ["service stops", "sidecar stops"]);
  });

  it("tells when an essential container ends, and not when another does", async () => {
    const task = await run([migration("fail.js"), service("START")]);
    await task.application.port;
    process.kill(task.application.pid, "SIGKILL");
    assert.deepEqual(await task.ended, { container: "service", exit: { code: null, signal: "SIGKILL" } });
  });

  it("gives a dependency that does not end up within the limit, and leaves nothing running", async () => {
    await assert.rejects(run([migration("stuck.js"), service("SUCCESS")], { dependencyTimeoutMs: 300 }), {
      code: "DEPENDENCY_TIMEOUT",
      message: /^container "migration": did not end within 300 ms, and "service" waits for it\. It wrote/,
    });
    assert.deepEqual(texts(), ["waits for the lock", "stuck stops"]);
  });

  it("can be called off while it waits", async () => {
    const controller = new AbortController();
    const onLine = (): void => controller.abort();
    await assert.rejects(run([migration("stuck.js"), service("SUCCESS")], { signal: controller.signal, onLine }), {
      code: "STOPPED",
    });
  });

  const refused: [string, DeclaredContainer[], RegExp][] = [
    [
      "a cycle",
      [migration("migrate.js", { dependsOn: [{ containerName: "service", condition: "START" }] }), service("START")],
      /depends on itself: migration → service → migration/,
    ],
    ["HEALTHY", [migration("migrate.js"), service("HEALTHY")], /condition HEALTHY is refused: container health checks/],
    [
      "a condition that does not exist",
      [migration("migrate.js"), service("READY")],
      /a condition is START, COMPLETE or/,
    ],
    ["an unknown container", [service("SUCCESS")], /dependency "migration" .* is refused: the task defines no such/],
    [
      "the end of an essential container",
      [migration("migrate.js", { essential: true }), service("SUCCESS")],
      /it is essential, and ECS allows/,
    ],
    [
      "a task without the container of the target group",
      [migration("migrate.js")],
      /"service": the task defines no such/,
    ],
  ];
  for (const [what, containers, message] of refused) {
    it(`refuses ${what} before anything starts`, async () => {
      await assert.rejects(run(containers), { code: "ORDER_REFUSED", message });
      assert.deepEqual(texts(), []);
    });
  }
});
