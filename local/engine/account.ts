import type { Properties } from "../outputs/computed.ts";
import type { Place } from "../place.ts";
import { parseUrn } from "./protocol.ts";

export type Verb = "create" | "update" | "delete" | "read";

/** Something that the engine had done to a resource in the account. Previews do nothing, and are not in the log. */
export interface Operation {
  readonly verb: Verb;
  readonly urn: string;
  readonly stack: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** Physical id; of a creation only once it has succeeded. */
  id: string;
  readonly inputs: Properties;
  /** Where in the log it began and ended; the log counts both. Undefined while it runs. */
  readonly begun: number;
  ended: number | undefined;
  /** Why it failed. */
  failure: string | undefined;
}

/** Called before an operation is carried out: it may let the operation wait, or fail by throwing. */
export type Interference = (operation: Operation) => Promise<void> | void;

/** Longest time in milliseconds for which an interference may hold an operation. */
const HELD_AT_MOST_MS = 60_000;

/** Most operations that are kept: an account that lives through more is one that something runs away in. */
const LONGEST_LOG = 100_000;

/** A pretended AWS account: which resources stand in it, and everything that was done to them. */
export class Account {
  readonly operations: Operation[] = [];
  /** What goes wrong or waits. Default nothing. */
  interference: Interference | undefined;
  /** Account of the credentials that are pretended; undefined means whichever the stack may be deployed to. */
  credentialsOf: string | undefined;
  /** Keys of the resources that stand, each with its URN. */
  readonly #standing = new Map<string, string>();
  readonly #made = new Map<string, number>();
  #clock = 0;

  /** How many of the same URN were made so far. */
  predecessors(urn: string): number {
    return this.#made.get(urn) ?? 0;
  }

  /** What stands, as keys of {@link stand}. */
  get standing(): ReadonlySet<string> {
    return new Set(this.#standing.keys());
  }

  /**
   * Carries out an operation and logs it.
   *
   * @throws whatever the interference throws, or an Error when it holds the operation for more than a minute
   */
  async carryOut<T>(
    verb: Verb,
    urn: string,
    id: string,
    inputs: Properties,
    work: (operation: Operation) => T,
  ): Promise<T> {
    if (this.operations.length >= LONGEST_LOG)
      throw new Error(`more than ${LONGEST_LOG} operations: something runs away`);
    const operation: Operation = {
      verb,
      urn,
      ...parseUrn(urn),
      id,
      inputs,
      begun: this.#clock++,
      ended: undefined,
      failure: undefined,
    };
    this.operations.push(operation);
    try {
      await heldBack(operation, this.interference);
      return work(operation);
    } catch (error) {
      operation.failure = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      operation.ended = this.#clock++;
    }
  }

  /**
   * Lets a resource stand from now on.
   *
   * @param key what AWS tells resources of a type apart by: its ARN, or else its id
   * @throws Error when another with this key stands, as AWS refuses a name that is taken
   */
  stand(type: string, key: string, urn: string): void {
    const taken = this.#standing.get(`${type} ${key}`);
    if (taken !== undefined) throw new Error(`AlreadyExists: ${type} ${key} stands in the account, as ${taken}`);
    this.#standing.set(`${type} ${key}`, urn);
    this.#made.set(urn, this.predecessors(urn) + 1);
  }

  /** Takes a resource away. One that is gone already is none to AWS's providers either. */
  remove(type: string, key: string): void {
    this.#standing.delete(`${type} ${key}`);
  }

  /** Forgets the log, not what stands. */
  forgetOperations(): void {
    this.operations.length = 0;
  }
}

/** Where a stack's resources are pretended to be, and who may be told so. */
export function refuseOtherAccount(place: Place, allowed: readonly string[]): void {
  if (allowed.length === 0 || allowed.includes(place.accountId)) return;
  // The text of the provider for AWS.
  throw new Error(`AWS account ID not allowed: ${place.accountId}`);
}

async function heldBack(operation: Operation, interference: Interference | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${operation.verb} of ${operation.urn} was held for more than ${HELD_AT_MOST_MS} ms`)),
      HELD_AT_MOST_MS,
    );
  });
  try {
    await Promise.race([interference?.(operation), late]);
  } finally {
    clearTimeout(timer);
  }
}
