export { type Clock, systemClock } from "./clock.ts";
export { errorCode, PoolError, type PoolErrorCode } from "./errors.ts";
export type { EventLog } from "./event-log.ts";
export { RdsIamPool } from "./iam-pool.ts";
export type { RdsIamPoolOptions, TokenSigner } from "./options.ts";
export { scrub, scrubJsonLine } from "./scrub.ts";
export { createStaticPool, type StaticPoolOptions } from "./static-pool.ts";
