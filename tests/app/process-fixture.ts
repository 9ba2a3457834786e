import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach } from "mocha";
import { eventually } from "../local/eventually.ts";
import type { Line } from "./captured-log.ts";

const MAIN = fileURLToPath(new URL("../../app/main.ts", import.meta.url));

/** The application as a process of its own. */
export interface Application {
  /** Exit status, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  stdout(): string;
  stderr(): string;
  /** The log lines on standard output. */
  lines(): readonly Line[];
  /** Waits for a line with this message, 10 s at most. */
  logged(message: string): Promise<Line>;
  /** Waits until it listens; the address. */
  address(): Promise<string>;
  terminate(): void;
}

/** Starts applications with the given environment and nothing else but PATH and the coverage's folder; ends them after each test. */
export function applications(): (words: readonly string[], environment?: Record<string, string>) => Application {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill("SIGKILL");
  });
  return (words, environment = {}) => {
    const { PATH = "", NODE_V8_COVERAGE } = process.env;
    const child = spawn(process.execPath, [MAIN, ...words], {
      env: { PATH, ...(NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE }), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    return watch(child);
  };
}

function watch(child: ChildProcess): Application {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  let ended = false;
  const exited = once(child, "close").then(([code, signal]: unknown[]) => {
    ended = true;
    return (code ?? signal) as number | string;
  });
  const lines = () =>
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  async function logged(message: string): Promise<Line> {
    const find = () => lines().find(({ msg }) => msg === message);
    await eventually(`a line ${message}`, 10_000, () => find() !== undefined || ended);
    const line = find();
    if (line === undefined) throw new Error(`It ended without a line ${message}:\n${stdout}\n${stderr}`);
    return line;
  }
  return {
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    lines,
    logged,
    address: async () => String((await logged("The service is ready")).address),
    terminate: () => void child.kill("SIGTERM"),
  };
}
