import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import analyzer from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/analyzer_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { DeclaredResource } from "../../local/program/resource.ts";
import { TODAY } from "./judged.ts";

const PACK = fileURLToPath(new URL("../../policy/", import.meta.url));
const RUNNER = fileURLToPath(
  new URL("../../node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js", import.meta.url),
);

/** Text that the engine has in place of what it does not know in a preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Puts the clock of the pack to the day that tests judge by: exceptions are due one day, and tests are not. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
  const behind = Date.now() - ${TODAY.getTime()};
  globalThis.Date = class extends Date {
    constructor(...given) {
      super(...(given.length > 0 ? given : [Date.now() - behind]));
    }
  };
`)}`;

/** What a policy says of a stack, as the engine is told. */
export interface Diagnostic {
  readonly policy: string;
  readonly message: string;
  readonly urn: string;
  /** Whether it stops a deployment. */
  readonly mandatory: boolean;
}

/** The policy pack as a process, started as the engine starts it and asked in the engine's protocol. */
export class PackProcess {
  readonly #child: ChildProcess;
  readonly #client: InstanceType<typeof analyzer.AnalyzerClient>;

  private constructor(child: ChildProcess, port: string) {
    this.#child = child;
    this.#client = new analyzer.AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  /** @param config configuration of the stack, as the engine hands it on */
  static async start(config: Readonly<Record<string, string>> = {}): Promise<PackProcess> {
    const child = spawn(process.execPath, ["--import", CLOCK, RUNNER, "127.0.0.1:1", "."], {
      cwd: PACK,
      env: { ...process.env, PULUMI_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(createInterface(child.stdout), "line", { signal: AbortSignal.timeout(15_000) })) as [
      string,
    ];
    return new PackProcess(child, port);
  }

  /** Names of the policies that the pack says it has. */
  async policies(): Promise<readonly string[]> {
    const info = await new Promise<messages.AnalyzerInfo>((resolve, reject) => {
      this.#client.getAnalyzerInfo(new empty.Empty(), (error, found) => (error ? reject(error) : resolve(found)));
    });
    return info.getPoliciesList().map((policy) => policy.getName());
  }

  /** @param tags that the provider of AWS gives everything */
  async analyze(
    resources: readonly DeclaredResource[],
    tags: Readonly<Record<string, string>> = {},
  ): Promise<readonly Diagnostic[]> {
    const request = new messages.AnalyzeStackRequest();
    request.setResourcesList(resources.map((resource) => messageOf(resource, tags)));
    const response = await new Promise<messages.AnalyzeResponse>((resolve, reject) => {
      this.#client.analyzeStack(request, (error, found) => (error ? reject(error) : resolve(found)));
    });
    return response.getDiagnosticsList().map((diagnostic) => ({
      policy: diagnostic.getPolicyname(),
      message: diagnostic.getMessage(),
      urn: diagnostic.getUrn(),
      mandatory: diagnostic.getEnforcementlevel() === messages.EnforcementLevel.MANDATORY,
    }));
  }

  async stop(): Promise<void> {
    this.#client.close();
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

function messageOf(
  { type, name, urn, id, outputs }: DeclaredResource,
  tags: Readonly<Record<string, string>>,
): messages.AnalyzerResource {
  const message = new messages.AnalyzerResource();
  message.setType(type);
  message.setName(name);
  message.setUrn(urn);
  message.setOptions(new messages.AnalyzerResourceOptions());
  // The engine knows no undefined.
  const properties = JSON.parse(JSON.stringify({ ...outputs, id })) as Record<string, never>;
  message.setProperties(struct.Struct.fromJavaScript(properties));
  const provider = new messages.AnalyzerProviderResource();
  provider.setType(`pulumi:providers:${type.split(":")[0]}`);
  provider.setProperties(struct.Struct.fromJavaScript({ defaultTags: JSON.stringify({ tags }) }));
  message.setProvider(provider);
  return message;
}
