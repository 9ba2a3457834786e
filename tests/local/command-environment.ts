import { fileURLToPath } from "node:url";

/** Where Node keeps what it compiled: reading Pulumi's modules is most of what a start costs. */
const COMPILED = fileURLToPath(new URL("../../node_modules/.cache/node-compile-cache", import.meta.url));

/**
 * The environment in which commands of `local/` are started. What they cover of the program is covered in this process too, and to
 * count it takes a quarter of their time.
 */
export function commandEnvironment(): NodeJS.ProcessEnv {
  const { NODE_V8_COVERAGE: _, ...environment } = process.env;
  return { ...environment, NODE_COMPILE_CACHE: COMPILED };
}
