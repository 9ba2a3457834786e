import * as settings from "@pulumi/pulumi/runtime/settings.js";
import * as state from "@pulumi/pulumi/runtime/state.js";

// Pulumi's types leave these two out, though its own Automation API evaluates inline programs with them. They are named here once,
// so that a release that moves them breaks one file, at once.

/** Resolves when the engine has answered everything that the program asked of it. */
export const waitForRPCs = required<() => Promise<void>>(settings, "waitForRPCs");

/** Runs a program with configuration, mocks and stack of its own, apart from every other program in the process. */
export const withLocalStorage = required<<T>(program: () => Promise<T>) => Promise<T>>(state, "withLocalStorage");

function required<T>(module: object, name: string): T {
  const found: unknown = Reflect.get(module, name);
  if (typeof found !== "function") throw new Error(`@pulumi/pulumi no longer has ${name}: pin a release that does`);
  return found as T;
}
