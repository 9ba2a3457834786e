import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the contexts of image builds are laid, each in a folder named by its content. Git ignores it. */
const BUILDS = ".build/image";

/** Packages of npm are CommonJS in part, and an ES module has no `require` unless it makes one. */
const REQUIRE_BANNER =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** The application, bundled, in a folder that an image can be built from. */
export interface Bundle {
  /** Folder of the build, relative to the project: Dockerfile, main.js, its source map, migrations. */
  readonly context: string;
  /** Hash of everything in that folder: the same sources give the same hash on every machine. */
  readonly hash: string;
  /** The base image that the Dockerfile starts from. */
  readonly base: BaseImage;
}

/** An image pinned by digest. */
export interface BaseImage {
  readonly name: string;
  readonly digest: string;
}

/**
 * Bundles the application with esbuild into one file with a source map, and lays it out as the build context of its image.
 * Writes only when the content is new, so a preview may do it too.
 */
export function bundleApplication(): Bundle {
  const files = new Map<string, Uint8Array>([["Dockerfile", readFileSync(path.join(ROOT, "app/Dockerfile"))]]);
  for (const file of readdirSync(path.join(ROOT, "app/migrations")).sort()) {
    files.set(`migrations/${file}`, readFileSync(path.join(ROOT, "app/migrations", file)));
  }
  for (const [name, content] of compile()) files.set(name, content);
  const hash = contentHash(files);
  const context = `${BUILDS}/${hash}`;
  layOut(path.join(ROOT, context), files);
  return { context, hash, base: baseImage(readFileSync(path.join(ROOT, "app/Dockerfile"), "utf8")) };
}

/** The base image of a Dockerfile's only stage. Throws when it is not pinned by digest. */
export function baseImage(dockerfile: string): BaseImage {
  const [, name, digest] = /^FROM\s+(\S+?)@(sha256:[0-9a-f]{64})\s*$/m.exec(dockerfile) ?? [];
  if (name === undefined || digest === undefined)
    throw new Error("app/Dockerfile: FROM must pin its image by @sha256 digest");
  return { name, digest };
}

/** The last bundle of this process, with the state of every source file that went into it. */
let compiled:
  | { readonly sources: ReadonlyMap<string, string>; readonly output: ReadonlyMap<string, Uint8Array> }
  | undefined;

/** Runs esbuild, unless this process did so before and no source file has changed since: tests evaluate the program often. */
function compile(): ReadonlyMap<string, Uint8Array> {
  if (compiled && [...compiled.sources].every(([file, state]) => stateOf(file) === state)) return compiled.output;
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: ["app/main.ts"],
    outfile: `${BUILDS}/main.js`,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node24",
    sourcemap: true,
    banner: { js: REQUIRE_BANNER },
    external: ["pg-native"],
    logLevel: "silent",
  });
  compiled = {
    sources: new Map(Object.keys(metafile.inputs).map((file) => [file, stateOf(file)])),
    output: new Map(outputFiles.map((file) => [path.basename(file.path), file.contents])),
  };
  return compiled.output;
}

function stateOf(file: string): string {
  const found = statSync(path.join(ROOT, file), { throwIfNoEntry: false });
  return found ? `${found.mtimeMs}/${found.size}` : "missing";
}

/** A short hash of files by name: another name, content or border between them gives another. The order of the entries does not matter. */
export function contentHash(files: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 20);
}

/** Writes the folder in one step, since previews and tests may build the same content at the same time. */
function layOut(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  if (existsSync(folder)) return;
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  // COPY keeps modes, and the image's user is not who builds it: the umask of whoever does must not decide whether it can read.
  chmodSync(draft, 0o755);
  for (const [name, content] of files) {
    const file = path.join(draft, name);
    mkdirSync(path.dirname(file), { recursive: true });
    chmodSync(path.dirname(file), 0o755);
    writeFileSync(file, content);
    chmodSync(file, 0o644);
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
