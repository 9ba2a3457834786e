/** What can go wrong with a container of the local environment. */
export type ContainerErrorCode =
  /** The declared command is not `node …`. */
  | "COMMAND_REFUSED"
  /** The declared `user` is not numeric. */
  | "USER_REFUSED"
  /** The declared environment sets a variable that belongs to the platform. */
  | "ENVIRONMENT_CONFLICT"
  /** The process could not be started at all. */
  | "START_FAILED"
  /** The process ended before what was waited for. */
  | "EXITED"
  /** Nothing listened on the container port within the limit. */
  | "NOT_LISTENING"
  /** The `dependsOn` of a task definition cannot be honoured. */
  | "ORDER_REFUSED"
  /** A container that another depends on did not end within the limit. */
  | "DEPENDENCY_TIMEOUT"
  /** The start was called off. */
  | "STOPPED";

/** A container that does not do what its definition says. The message names the container. */
export class ContainerError extends Error {
  readonly code: ContainerErrorCode;
  readonly container: string;

  constructor(code: ContainerErrorCode, container: string, message: string, options?: ErrorOptions) {
    super(`container "${container}": ${message}`, options);
    this.name = "ContainerError";
    this.code = code;
    this.container = container;
  }
}
