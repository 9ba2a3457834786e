export type {
  AcquireMessage,
  ChannelMessages,
  EstablishmentMessage,
  MintMessage,
  ReleaseMessage,
  RetryMessage,
} from "./channels.ts";
export { type Clock, systemClock } from "./clock.ts";
export { isConnectionLost } from "./connection-lost.ts";
export {
  AcquireError,
  type Attempt,
  CommitOutcomeUnknownError,
  errorCode,
  PoolError,
  type PoolErrorCode,
  TransactionRolledBackError,
} from "./errors.ts";
export type { EventLog } from "./event-log.ts";
export { RdsIamPool } from "./iam-pool.ts";
export type { RdsIamPoolOptions } from "./options.ts";
export { scrub, scrubJsonLine } from "./scrub.ts";
export { createStaticPool, type StaticPoolOptions } from "./static-pool.ts";
export type { TokenSigner } from "./token.ts";
export {
  type Isolation,
  type Lender,
  type TransactionClient,
  type TransactionOptions,
  transaction,
} from "./transaction.ts";
