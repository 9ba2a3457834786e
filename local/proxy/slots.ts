/** A bounded number of places, given out first come, first served. */
export class Slots {
  readonly #queue = new Set<() => void>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Waits for a place, at most `limitMs`.
   *
   * @returns gives the place back, once however often it is called; undefined when the limit passed first
   * @throws the signal's reason when it aborts; the place in the queue is given up
   */
  async take(limitMs: number, signal: AbortSignal): Promise<(() => void) | undefined> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#wait(limitMs, signal))) return undefined;
    let held = true;
    return () => {
      if (held) this.#passOn();
      held = false;
    };
  }

  #wait(limitMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      const enter = () => {
        leave();
        resolve(true);
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        leave();
        resolve(false);
      }, limitMs);
      this.#queue.add(enter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #passOn(): void {
    const [next] = this.#queue;
    if (next) next();
    else this.#free += 1;
  }
}
