import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach } from "mocha";
import {
  type Container,
  type ContainerDefinition,
  type ContainerSurroundings,
  startContainer,
} from "../../local/container.ts";
import type { ContainerLine } from "../../local/container-log.ts";

/** An application that reports its environment and user, then listens as the image's application does. */
export const server = `
import http from "node:http";
console.log(JSON.stringify({ environment: process.env, uid: process.getuid(), gid: process.getgid(), cwd: process.cwd() }));
const server = http.createServer((request, response) => response.end("hello"));
server.listen({ host: "0.0.0.0", port: Number(process.env.PORT) }, () => console.log(JSON.stringify({ bound: server.address() })));
process.on("SIGTERM", () => server.close(() => { console.log("drained"); process.exit(0); }));
`;

export const declaredEnvironment: Readonly<Record<string, string>> = { ENV: "production", PORT: "8080", EMPTY: "" };

export interface StartedContainer {
  readonly container: Container;
  /** Everything that it wrote. */
  readonly lines: readonly ContainerLine[];
}

/** Starts containers for the tests of a suite, stops them after each test, and removes their folders at the end. */
export function containers(): {
  start(
    main: string,
    surroundings?: Partial<ContainerSurroundings>,
    definition?: Partial<ContainerDefinition>,
  ): Promise<StartedContainer>;
  image(main: string, files?: Readonly<Record<string, string>>): Promise<string>;
  workspace(): Promise<string>;
} {
  const folders: string[] = [];
  const running: Container[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((container) => container.stop()));
  });
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  async function folder(mode: number): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "image-"));
    folders.push(path);
    await chmod(path, mode);
    return path;
  }

  /** A folder as an image is built from, readable by every user. */
  async function image(main: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
    const path = await folder(0o755);
    const all = { "main.js": main, "package.json": JSON.stringify({ type: "module" }), ...files };
    for (const [name, content] of Object.entries(all)) await writeFile(join(path, name), content);
    return path;
  }

  const workspace = () => folder(0o711);

  return {
    image,
    workspace,
    start: async (main, surroundings = {}, definition = {}) => {
      const lines: ContainerLine[] = [];
      const container = await startContainer(
        {
          name: "service",
          command: ["node", "main.js"],
          environment: declaredEnvironment,
          user: "1000:1000",
          stopTimeoutSeconds: 10,
          ...definition,
        },
        {
          folder: surroundings.folder ?? (await image(main)),
          // The checkout may be where only root may go.
          workspace: await workspace(),
          onLine: (line) => lines.push(line),
          ...surroundings,
        },
      );
      running.push(container);
      return { container, lines };
    },
  };
}
