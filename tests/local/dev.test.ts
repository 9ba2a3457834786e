import assert from "node:assert/strict";
import { once } from "node:events";
import { utimes } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "mocha";
import { runCommandLine } from "./command-run.ts";
import { eventually } from "./eventually.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const closed = once(server, "close");
  server.close();
  await closed;
  return port;
}

describe("npm run dev", function () {
  this.timeout(60_000);

  it("serves on its development path, starts again when a file of the application changes, and leaves nothing behind", async () => {
    const port = await freePort();
    const projects = `http://127.0.0.1:${port}/projects`;
    await using run = await runCommandLine("local/dev.ts", "--port", String(port));
    const starts = () => run.written.stdout.split('"The service is ready"').length - 1;
    await run.writes("stdout", /"The service is ready"/);
    assert.equal(starts(), 1);
    const created = await fetch(projects, {
      method: "POST",
      body: JSON.stringify({ name: "kept" }),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(5_000),
    });
    assert.equal(created.status, 201);

    // Only the time of change: what the file says is another's business.
    await utimes(new URL("../../app/pages.ts", import.meta.url), new Date(), new Date());
    await eventually("the service is ready again", 15_000, () => starts() >= 2);
    const listed = (await (await fetch(projects, { signal: AbortSignal.timeout(5_000) })).json()) as {
      readonly items: readonly { readonly name: string }[];
    };
    assert.deepEqual(
      listed.items.map(({ name }) => name),
      ["kept"],
    );

    run.signal("SIGINT", "group");
    assert.deepEqual(await run.exits(), { code: 130, signal: null });
    await run.leavesNothing();
    const written = run.written.stdout + run.written.stderr;
    assert.equal(written.includes("X-Amz-"), false);
    assert.equal(written.includes("only-for-this-machine"), false);
  });
});
