import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { LocalWorkspace, PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";
import { PROGRAM_FOLDER, projectName } from "../program/configuration.ts";
import { Account } from "./account.ts";
import { findPulumi } from "./cli.ts";
import { type StandIn, startProvider } from "./provider.ts";
import { SDK_VERSIONS } from "./sdk-versions.ts";
import { type Canary, copyStackFiles } from "./stack-files.ts";

export interface EngineOptions {
  /** Path of the Pulumi CLI. Default the one on PATH. */
  readonly pulumi?: string;
}

export interface StackOptions {
  /** Folder, ending in a slash, of the program: index.ts, Pulumi.yaml, stack files. Default the project's own. */
  readonly folder?: URL;
  /** Configuration over the stack file's, as to `pulumi config set`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Another program than the folder's index.ts. */
  readonly program?: () => Promise<Record<string, unknown>>;
  /** The stack's name, where it is not that of its file. */
  readonly name?: string;
}

/** A stack on the real engine, whose every provider is a stand-in. */
export interface OfflineStack {
  readonly stack: Stack;
  /** What stands for the values that are encrypted in the stack file. */
  readonly canaries: readonly Canary[];
}

/** Program by which the engine runs policy packs for Node; the CLI's installer would bring one. */
const POLICY_ANALYZER = "pulumi-analyzer-policy-nodejs";
const POLICY_RUNNER = `#!/bin/sh
exec ${quoted(process.execPath)} ${quoted(createRequire(import.meta.url).resolve("@pulumi/pulumi/cmd/run-policy-pack"))} "$@"
`;

/** Packages whose providers the program calls. */
const PACKAGES = Object.keys(SDK_VERSIONS);

/** Modules are evaluated once: each run of the program is another module to Node. */
let runs = 0;

/**
 * The real Pulumi engine, offline: its state is in a temporary folder, its providers are stand-ins over one pretended AWS account, and
 * the program runs in this process. Nothing asks AWS or Pulumi's service.
 */
export class OfflineEngine {
  readonly account: Account;
  /** Where the state, the history and the copies of stack files are. */
  readonly folder: string;
  readonly #providers: readonly StandIn[];
  readonly #command: PulumiCommand;
  readonly #environment: Readonly<Record<string, string>>;
  #copies = 0;

  private constructor(folder: string, account: Account, providers: readonly StandIn[], command: PulumiCommand) {
    this.folder = folder;
    this.account = account;
    this.#providers = providers;
    this.#command = command;
    this.#environment = {
      PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
      PULUMI_CONFIG_PASSPHRASE_FILE: "",
      PULUMI_DEBUG_PROVIDERS: providers.map(({ attachment }) => attachment).join(","),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }

  /**
   * Starts the stand-ins and makes the temporary folder.
   *
   * @throws PulumiNotFound when there is no CLI
   */
  static async start(options: EngineOptions = {}): Promise<OfflineEngine> {
    const pulumi = await findPulumi(options.pulumi);
    const account = new Account();
    const folder = await mkdtemp(path.join(tmpdir(), "passwordless-postgres-engine-"));
    const providers: StandIn[] = [];
    try {
      await Promise.all(["bin", "home", "state"].map((name) => mkdir(path.join(folder, name))));
      // The Automation API takes a folder that holds bin/pulumi, and puts that folder first on PATH.
      await symlink(pulumi, path.join(folder, "bin", "pulumi"));
      await writeFile(path.join(folder, "bin", POLICY_ANALYZER), POLICY_RUNNER, { mode: 0o700 });
      for (const name of PACKAGES) providers.push(await startProvider(name, SDK_VERSIONS[name] ?? "", account));
      return new OfflineEngine(folder, account, providers, await PulumiCommand.get({ root: folder }));
    } catch (error) {
      for (const provider of providers) provider.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * A stack of a program, new or as it was left. The program runs anew at each operation.
   *
   * @param stack whose file is `Pulumi.<stack>.yaml`
   * @throws StackConfigurationError when there is no such file
   */
  async stack(stack: string, options: StackOptions = {}): Promise<OfflineStack> {
    const from = options.folder ?? PROGRAM_FOLDER;
    const workDir = path.join(this.folder, `program-${this.#copies++}`);
    await mkdir(workDir);
    const canaries = await copyStackFiles(from, workDir, stack, options.config);
    const name = options.name ?? stack;
    if (name !== stack) await rename(`${workDir}/Pulumi.${stack}.yaml`, `${workDir}/Pulumi.${name}.yaml`);
    const program = options.program ?? (() => runProgram(from));
    const opened = await LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: await projectName(from), program },
      {
        workDir,
        pulumiHome: path.join(this.folder, "home"),
        pulumiCommand: this.#command,
        envVars: { ...this.#environment },
      },
    );
    for (const { key, value } of canaries) await opened.setConfig(key, { value, secret: true }, true);
    return { stack: opened, canaries };
  }

  /** Ends the stand-ins and removes the folder. */
  async stop(): Promise<void> {
    for (const provider of this.#providers) provider.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function runProgram(folder: URL): Promise<Record<string, unknown>> {
  const entry = new URL("index.ts", folder);
  entry.searchParams.set("run", String(++runs));
  return { ...(await import(entry.href)) };
}

/** A word for a POSIX shell that means itself. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
