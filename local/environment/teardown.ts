/** What was started, to be stopped in reverse order, whatever happened in between. */
export class Teardown {
  readonly #steps: { readonly what: string; readonly stop: () => Promise<void> }[] = [];
  readonly #log: (message: string) => void;
  #running: Promise<void> | undefined;

  /** @param log is told of a step that fails; the others are run all the same */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /** Adds the last step so far, which is the first to run. */
  add(what: string, stop: () => Promise<void>): void {
    this.#steps.push({ what, stop });
  }

  /** Whether `run` was called: from then on parts end because they are told to. */
  get hasBegun(): boolean {
    return this.#running !== undefined;
  }

  /** Runs every step once. Never rejects; may be called again, and then waits for the first run. */
  run(): Promise<void> {
    this.#running ??= this.#runSteps();
    return this.#running;
  }

  async #runSteps(): Promise<void> {
    for (const { what, stop } of this.#steps.reverse()) {
      await stop().catch((error: unknown) => this.#log(`could not stop ${what}: ${messageOf(error)}`));
    }
  }
}

/** What an error says, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
