import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { before, describe, it } from "mocha";
import { commandEnvironment } from "./command-environment.ts";
import { begin } from "./environment-fixture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SCRIPT = fileURLToPath(new URL("command-script.ts", import.meta.url));

type Command = ChildProcessByStdio<null, Readable, Readable>;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], meanwhile: (command: Command) => unknown = () => {}): Promise<Ended> {
  const command = spawn(process.execPath, [...args], {
    cwd: ROOT,
    env: commandEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  const closed = once(command, "close");
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    command[stream].setEncoding("utf8").on("data", (text: string) => {
      written[stream] += text;
    });
  }
  await meanwhile(command);
  const [code, signal] = await closed;
  return { code, signal, ...written };
}

const work = (name: string, meanwhile?: (command: Command) => unknown): Promise<Ended> =>
  run([SCRIPT, name], meanwhile);

const sendWhenReady =
  (...signals: readonly NodeJS.Signals[]) =>
  async (command: Command): Promise<void> => {
    await once(command.stdout, "data");
    for (const signal of signals) command.kill(signal);
  };

describe("A command", function () {
  this.timeout(30_000);

  it("exits with what its work returns, progress on stderr and results on stdout", async () => {
    assert.deepEqual(await work("succeed"), { code: 0, signal: null, stdout: "result\n", stderr: "progress\n" });
    assert.deepEqual(await work("say no"), { code: 3, signal: null, stdout: "", stderr: "" });
  });

  it("exits with 1 after an error and with 2 after a misuse, in one line without a stack", async () => {
    assert.deepEqual(await work("fail"), { code: 1, signal: null, stdout: "", stderr: "error: the reason\n" });
    assert.deepEqual(await work("misuse"), { code: 2, signal: null, stdout: "", stderr: "error: the misuse\n" });
  });

  for (const [signal, code] of [
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`lets its work clean up after ${signal}, then exits with ${code}`, async () => {
      assert.deepEqual(await work("wait and clean up", sendWhenReady(signal)), {
        code,
        signal: null,
        stdout: "ready\n",
        stderr: `\n${signal}: stopping\ncleaned up\n`,
      });
    });
  }

  it("takes no offence at work that ends with an error because it was called off", async () => {
    const { code, stderr } = await work("fail when called off", sendWhenReady("SIGINT"));
    assert.deepEqual({ code, stderr }, { code: 130, stderr: "\nSIGINT: stopping\n" });
  });

  it("waits for work that does not end until a second Ctrl-C", async () => {
    const { code, stderr } = await work("never end", async (command) => {
      await once(command.stdout, "data");
      command.kill("SIGINT");
      await once(command.stderr, "data");
      assert.equal(command.exitCode, null);
      command.kill("SIGINT");
    });
    assert.deepEqual({ code, stderr }, { code: 130, stderr: "\nSIGINT: stopping\n" });
  });

  for (const [name, message] of [
    ["lose an error", "nobody catches this"],
    ["lose a rejection", "nobody awaits this"],
  ] as const) {
    it(`cleans up and exits with 1 when its parts ${name}`, async () => {
      const { code, signal, stderr } = await work(name);
      assert.deepEqual({ code, signal }, { code: 1, signal: null });
      assert.match(stderr, new RegExp(`^error: Error: ${message}\n(?: +at .*\n)+cleaned up\n$`));
    });
  }

  it("cleans up when nobody reads what it writes", async () => {
    const { code, signal, stderr } = await work("write to nobody", async (command) => {
      await once(command.stdout, "data");
      command.stdout.destroy();
    });
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "cleaned up\n" });
  });
});

describe("The command line of npm run local and npm run dev", function () {
  this.timeout(30_000);

  interface Call {
    readonly args: readonly string[];
    readonly code: number;
    readonly stdout?: RegExp;
    readonly stderr?: RegExp;
  }

  const calls: readonly Call[] = [
    {
      args: ["local/main.ts", "--help"],
      code: 0,
      stdout: /^Usage: npm run local -- [\s\S]*--stack NAME[\s\S]*--config KEY=VALUE[\s\S]*--json/,
    },
    { args: ["local/dev.ts", "--help"], code: 0, stdout: /^Usage: npm run dev -- [\s\S]*--port N/ },
    {
      args: ["local/main.ts", "--verbose"],
      code: 2,
      stderr: /^error: Unknown option '--verbose'\n\nUsage: npm run local/,
    },
    {
      args: ["local/main.ts", "--config", "minTasks"],
      code: 2,
      stderr: /^error: --config minTasks; allowed: KEY=VALUE\n/,
    },
    {
      args: ["local/main.ts", "--config", "minTask=1"],
      code: 1,
      stderr: /\nerror: Pulumi\.yaml declares no key minTask; allowed: .*, minTasks, /,
    },
    {
      args: ["local/main.ts", "--stack", "nowhere"],
      code: 1,
      stderr:
        /\nerror: there is no stack nowhere: no file Pulumi\.nowhere\.yaml beside Pulumi\.yaml; there are production, staging\n$/,
    },
    {
      args: ["local/dev.ts", "--port", "0"],
      code: 2,
      stderr: /^error: --port 0; allowed: a whole number from 1 to 65535\n$/,
    },
  ];
  let endings: Map<Call, Promise<Ended>>;
  before(() => {
    endings = begin(2, calls, ({ args }) => run(args));
  });

  for (const call of calls) {
    it(`ends ${call.args.join(" ")} with status ${call.code} and says what there is`, async () => {
      const ended = (await endings.get(call)) as Ended;
      assert.equal(ended.code, call.code);
      assert.match(ended.stdout, call.stdout ?? /^$/);
      assert.match(ended.stderr, call.stderr ?? /^$/);
    });
  }
});
