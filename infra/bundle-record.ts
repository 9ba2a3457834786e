import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** The last build on this machine: what it was made from and how, and the folder that came of it. */
interface BundleRecord {
  /** Of everything beside the sources that decides what a build comes to. */
  readonly identity: string;
  /** Hash of each source's content, by its path relative to the project. */
  readonly sources: Readonly<Record<string, string>>;
  /** Hash of the folder, which is its name. */
  readonly hash: string;
}

/**
 * What the last build came to, if it was made in this way and no source has another content since. Contents are compared,
 * not times: what is deployed must not hang on a clock.
 *
 * @param file where {@link recordBundle} keeps it; missing or unreadable is as good as never built
 */
export function recordedBundle(
  file: string,
  root: string,
  identity: string,
): Pick<BundleRecord, "hash" | "sources"> | undefined {
  const found = read(file);
  if (found === undefined || found.identity !== identity) return undefined;
  const unchanged = Object.entries(found.sources).every(([name, hash]) => hashOf(path.join(root, name)) === hash);
  return unchanged ? found : undefined;
}

/** Keeps what a build came to, in one step: others may read and write at the same time. Where it cannot, the next one builds again. */
export function recordBundle(
  file: string,
  root: string,
  build: { readonly identity: string; readonly sources: readonly string[]; readonly hash: string },
): void {
  const sources: Record<string, string> = {};
  for (const name of build.sources) {
    const hash = hashOf(path.join(root, name));
    if (hash === undefined) return;
    sources[name] = hash;
  }
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
  } catch {
    return;
  }
  try {
    writeFileSync(
      draft,
      JSON.stringify({ identity: build.identity, sources, hash: build.hash } satisfies BundleRecord),
    );
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
}

function read(file: string): BundleRecord | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is BundleRecord {
  if (typeof value !== "object" || value === null) return false;
  const { identity, sources, hash } = value as Partial<Record<keyof BundleRecord, unknown>>;
  return (
    typeof identity === "string" &&
    typeof hash === "string" &&
    /^[0-9a-f]{20}$/.test(hash) &&
    typeof sources === "object" &&
    sources !== null &&
    Object.keys(sources).length > 0
  );
}

function hashOf(file: string): string | undefined {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return undefined;
  }
}
