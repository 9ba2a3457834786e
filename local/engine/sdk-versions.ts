import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Versions of the installed SDKs, by package of the engine: the stand-ins are of the same version as what calls them. */
export const SDK_VERSIONS: Readonly<Record<string, string>> = Object.fromEntries(
  ["aws", "awsx", "docker-build"].map((name) => [name, versionOf(`@pulumi/${name}`)]),
);

function versionOf(packageName: string): string {
  const file = require.resolve(`${packageName}/package.json`);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return version;
}
