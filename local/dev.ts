import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { type CommandContext, runCommand, UsageError } from "./command.ts";
import { Teardown } from "./environment/teardown.ts";
import { startPostgres } from "./postgres.ts";
import { PROGRAM_FOLDER } from "./program/configuration.ts";
import { type Reaper, startReaper } from "./reaper.ts";

const HELP = `Usage: npm run dev -- [--port N]

The service on its development path: a PostgreSQL of its own, with the variables of .env.development.example and over them those of
.env.development where there is one; host and port are always this PostgreSQL's. No AWS call. It starts
again whenever a TypeScript file under app/ changes. Data is gone when it stops. Ctrl-C stops it.

Options:
  --port N    port of 127.0.0.1 to listen on (default: 8080)
  --help      this text`;

/** A service that has not drained by then is killed: whoever presses Ctrl-C waits for it. */
const STOP_LIMIT_MS = 5_000;

const ROOT = fileURLToPath(PROGRAM_FOLDER);

await runCommand(async (context) => {
  const { port, help } = parse(process.argv.slice(2));
  if (help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const teardown = new Teardown(context.log);
  try {
    return await develop(port, teardown, context);
  } finally {
    await teardown.run();
  }
});

async function develop(port: number, teardown: Teardown, { signal, log }: CommandContext): Promise<number> {
  // Loaded only now, so that help and refusals come at once.
  const [{ evaluate }, { readDeclared }] = await Promise.all([import("./program.ts"), import("./program/read.ts")]);
  const { database } = readDeclared(await evaluate("staging"));
  const environment = { ...environmentFile(".env.development.example"), ...environmentFile(".env.development") };
  const { POSTGRES_USER: user = "", POSTGRES_PASSWORD: password = "", POSTGRES_DB: name = "" } = environment;
  const reaper = startReaper({ log });
  teardown.add("the reaper", () => reaper.close());
  const postgres = await startPostgres({
    majorVersion: database.majorVersion,
    maxConnections: database.maxConnections,
    forceSsl: false,
    master: { user, password },
    database: name,
    reaper,
    log,
  });
  teardown.add("PostgreSQL", () => postgres.stop());
  log(`PostgreSQL ${postgres.version}: ${postgres.directUrl}`);
  const env = { ...environment, DB_HOST: postgres.host, DB_PORT: String(postgres.port), PORT: String(port) };
  const run = (args: readonly string[]) => start(args, env, reaper, teardown);
  const migrated = await ended(run(["app/main.ts", "migrate"]), signal);
  if (migrated !== 0) return migrated;
  log(`the service restarts when a TypeScript file under app/ changes: http://127.0.0.1:${port}/projects`);
  return Promise.race([
    ended(run(["--watch", "--watch-preserve-output", "app/main.ts", "serve"]), signal),
    postgres.exited.then(() => 1),
  ]);
}

/** Variables of a file beside the program, none where there is no such file. */
function environmentFile(name: string): NodeJS.Dict<string> {
  const file = new URL(name, PROGRAM_FOLDER);
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}

/** A Node process in a group of its own, with this environment and nothing of ours but the path and the home. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, reaper: Reaper, teardown: Teardown): ChildProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    stdio: "inherit",
    detached: true,
  });
  reaper.watchProcess(child, { group: true });
  teardown.add(args.join(" "), async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    process.kill(-Number(child.pid), "SIGTERM");
    const kill = setTimeout(() => process.kill(-Number(child.pid), "SIGKILL"), STOP_LIMIT_MS);
    await gone.finally(() => clearTimeout(kill));
  });
  return child;
}

/** Exit code of a process, or 0 when a signal calls the wait off; whoever started the process stops it. */
async function ended(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const exited = once(child, "exit").then(([code]) => Number(code ?? 1));
  const aborted = new Promise<number>((resolve) => signal.addEventListener("abort", () => resolve(0), { once: true }));
  return signal.aborted ? 0 : Promise.race([exited, aborted]);
}

function parse(args: string[]): { port: number; help: boolean } {
  let values: { port?: string; help?: boolean };
  try {
    ({ values } = parseArgs({ args, options: { port: { type: "string" }, help: { type: "boolean" } } }));
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n\n${HELP}`, { cause });
  }
  const port = Number(values.port ?? "8080");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`--port ${values.port}; allowed: a whole number from 1 to 65535`);
  }
  return { port, help: values.help ?? false };
}
