/** Why a fault was not started, found or ended. */
export type FaultErrorCode =
  | "INVALID_FAULT"
  | "FAULT_RUNNING"
  | "FAULT_NOT_FOUND"
  | "FAULT_FAILED"
  | "FAULT_NOT_ENDED"
  | "CLOSED";

/** Says what about a fault was wrong, and what is possible. */
export class FaultError extends Error {
  override readonly name = "FaultError";
  readonly code: FaultErrorCode;

  constructor(code: FaultErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
