import { ALLOWED_BY_GUARDS } from "./allowed-by-guards.ts";
import { ALLOWED_TO_ROLES } from "./allowed-to-roles.ts";
import type { Allowed } from "./asked.ts";

/** Everything that the program's policies are for. */
export const ALLOWED: readonly Allowed[] = [...ALLOWED_TO_ROLES, ...ALLOWED_BY_GUARDS];
