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
import { buildSync, version } from "esbuild";
import { recordBundle, recordedBundle } from "./bundle-record.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the contexts of image builds are laid, each in a folder named by its content. Git ignores it. */
const BUILDS = ".build/image";

/** Where the last of them is described, so that the next process need not build it again. */
const RECORD = ".build/bundle.json";

/** How far a file's time may be behind the clock: Linux stamps files by its timer, which ticks each 10 ms at the slowest. */
const CLOCK_STEP_MS = 20;

const DOCKERFILE = "app/Dockerfile";
const MIGRATIONS = "app/migrations";

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
 *
 * @param record file that describes the last bundle; by default one of the project, so that the next process need not build again
 */
export function bundleApplication(record: string = RECORD): Bundle {
  if (last !== undefined && last.record === record && isCurrent(last)) return last.bundle;
  const files = new Map(copied().map(([name, file]) => [name, readFileSync(path.join(ROOT, file))]));
  const identity = contentHash(new Map([...files, ...builtWith()]));
  const recorded = recordedBundle(path.resolve(ROOT, record), ROOT, identity);
  if (recorded !== undefined && existsSync(path.join(ROOT, BUILDS, recorded.hash))) {
    return remember(record, recorded.hash, Object.keys(recorded.sources));
  }
  const begun = Date.now();
  const { sources, output } = compile();
  const content = new Map([...files, ...output]);
  const hash = contentHash(content);
  layOut(path.join(ROOT, BUILDS, hash), content);
  // A source that changed while esbuild read it may be in the bundle as it was before: then the next call builds again.
  if (!sources.every((file) => changedBefore(file, begun - CLOCK_STEP_MS))) return bundleOf(hash);
  recordBundle(path.resolve(ROOT, record), ROOT, { identity, sources, hash });
  return remember(record, hash, sources);
}

/** What goes into the folder as it is: name there, and path. */
function copied(): readonly (readonly [string, string])[] {
  const migrations = readdirSync(path.join(ROOT, MIGRATIONS)).sort();
  return [
    ["Dockerfile", DOCKERFILE],
    ...migrations.map((file) => [`migrations/${file}`, `${MIGRATIONS}/${file}`] as const),
  ];
}

/** What decides how the sources are bundled: the options here, the program that reads them, and where it finds packages. */
function builtWith(): readonly (readonly [string, Uint8Array])[] {
  const files = [
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    path.relative(ROOT, fileURLToPath(import.meta.url)),
  ];
  return [
    ["esbuild", Buffer.from(version)],
    ...files.map((file) => [`project/${file}`, readFileSync(path.join(ROOT, file))] as const),
  ];
}

/** The last bundle of this process, with the state of every file that went into it: tests evaluate the program often. */
interface LastBundle {
  readonly record: string;
  readonly bundle: Bundle;
  readonly states: ReadonlyMap<string, string>;
}

let last: LastBundle | undefined;

function isCurrent({ bundle, states }: LastBundle): boolean {
  return existsSync(path.join(ROOT, bundle.context)) && [...states].every(([file, state]) => stateOf(file) === state);
}

function remember(record: string, hash: string, sources: readonly string[]): Bundle {
  const bundle = bundleOf(hash);
  // The folder of migrations as well: its time is that of the last file which came or went.
  const files = [...sources, ...copied().map(([, file]) => file), MIGRATIONS];
  last = { record, bundle, states: new Map(files.map((file) => [file, stateOf(file)])) };
  return bundle;
}

function bundleOf(hash: string): Bundle {
  return { context: `${BUILDS}/${hash}`, hash, base: applicationBase() };
}

/** The base image of the application's Dockerfile, for whoever needs no bundle. */
export function applicationBase(): BaseImage {
  return baseImage(readFileSync(path.join(ROOT, DOCKERFILE), "utf8"));
}

/** The base image of a Dockerfile's only stage. Throws when it is not pinned by digest. */
export function baseImage(dockerfile: string): BaseImage {
  const [, name, digest] = /^FROM\s+(\S+?)@(sha256:[0-9a-f]{64})\s*$/m.exec(dockerfile) ?? [];
  if (name === undefined || digest === undefined)
    throw new Error("app/Dockerfile: FROM must pin its image by @sha256 digest");
  return { name, digest };
}

function compile(): { readonly sources: readonly string[]; readonly output: ReadonlyMap<string, Uint8Array> } {
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
  return {
    sources: Object.keys(metafile.inputs),
    output: new Map(outputFiles.map((file) => [path.basename(file.path), file.contents])),
  };
}

function changedBefore(file: string, time: number): boolean {
  const found = statSync(path.join(ROOT, file), { throwIfNoEntry: false });
  return found !== undefined && found.mtimeMs < time;
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
