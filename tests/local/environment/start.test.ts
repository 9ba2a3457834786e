import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { type Foundation, layFoundation } from "../../../local/environment/foundation.ts";
import { EnvironmentError } from "../../../local/environment/service.ts";
import { Teardown } from "../../../local/environment/teardown.ts";
import { startEnvironment } from "../../../local/environment.ts";
import { edit } from "../../../local/program/edit.ts";
import { readDeclared } from "../../../local/program/read.ts";
import { evaluate, type Program } from "../../../local/program.ts";

/** A service that starts and never listens. */
const MUTE = ["node", "-e", 'console.log("up"); setInterval(() => {}, 1_000);'];

/** How long a start may take to end once it is called off: far below the limits of what it waits for. */
const SOON_MS = 8_000;

describe("A start that waits for a service which never listens", () => {
  let program: Program;
  before(async () => {
    program = edit(await evaluate("production"), { type: "TaskDefinition", name: "service" }, (inputs) => {
      const containers = JSON.parse(String(inputs.containerDefinitions)) as {
        name: string;
        command: readonly string[];
      }[];
      const mute = containers.map((container) =>
        container.name === "service" ? { ...container, command: MUTE } : container,
      );
      return { ...inputs, containerDefinitions: JSON.stringify(mute) };
    });
  });

  /** Starts on a foundation of the test's own, does something once the service is up, and gives the error of the start. */
  async function startAnd(act: (foundation: Foundation, user: AbortController) => void) {
    const teardown = new Teardown(() => {});
    const user = new AbortController();
    try {
      const foundation = await layFoundation(readDeclared(program), teardown, () => {});
      let actedAt = Number.NaN;
      const start = startEnvironment(program, {
        foundation,
        signal: user.signal,
        log: () => {},
        onLine: ({ text }) => {
          if (text !== "up") return;
          actedAt = performance.now();
          act(foundation, user);
        },
      });
      const error = await start.then(
        () => assert.fail("it started"),
        (reason: unknown) => reason,
      );
      return { error, tookMs: performance.now() - actedAt };
    } finally {
      await teardown.run();
    }
  }

  it("ends soon after it is called off", async () => {
    const reason = new Error("called off by the test");
    const { error, tookMs } = await startAnd((_foundation, user) => user.abort(reason));
    assert.equal(error, reason);
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`);
  });

  it("ends soon after PostgreSQL has, and says so", async () => {
    const { error, tookMs } = await startAnd(({ postgres }) => process.kill(postgres.pid, "SIGKILL"));
    assert.ok(error instanceof EnvironmentError);
    assert.match(error.message, /^PostgreSQL ended \(SIGKILL\) while the service was starting$/);
    assert.ok(tookMs < SOON_MS, `${tookMs} ms`);
  });
});
