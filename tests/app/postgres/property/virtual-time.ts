import type { Clock } from "../../../../app/postgres/clock.ts";

interface Entry {
  readonly at: number;
  readonly run: () => void;
}

const systemSetTimeout = globalThis.setTimeout;
const systemNow = performance.now;
const systemClearTimeout = globalThis.clearTimeout;

/**
 * Time that passes only by {@link VirtualTime.advance}: while installed, `setTimeout` and `performance.now` of the whole process count in
 * it, so that pg-pool's own timers take part. `setImmediate` and ticks stay real.
 */
export class VirtualTime {
  now = 0;
  readonly #entries = new Map<Handle, Entry>();

  /** How many timers have neither fired nor been cleared. */
  get pending(): number {
    return this.#entries.size;
  }

  install(): void {
    const set = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Handle => {
      const handle = new Handle();
      this.#entries.set(handle, { at: this.now + Math.max(1, ms), run: () => callback(...args) });
      return handle;
    };
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    performance.now = () => this.now;
    globalThis.clearTimeout = ((handle: Handle) => this.#entries.delete(handle)) as unknown as typeof clearTimeout;
  }

  uninstall(): void {
    performance.now = systemNow;
    globalThis.setTimeout = systemSetTimeout;
    globalThis.clearTimeout = systemClearTimeout;
  }

  /**
   * Fires what falls due on the way, in order, each in a turn of the event loop of its own as Node does.
   *
   * @param settled awaited whenever all that is due at one moment has fired, and at the end
   */
  async advance(ms: number, settled: () => Promise<void>): Promise<void> {
    const end = this.now + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [handle, { at, run }] = next;
      this.#entries.delete(handle);
      this.now = Math.max(this.now, at);
      run();
      await turn();
      if (!this.#next(this.now)) await settled();
    }
    this.now = end;
    await settled();
  }

  /** For whatever takes a clock. */
  clock(): Clock {
    return {
      now: () => this.now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const abort = () => {
            clearTimeout(timer);
            reject(signal.reason);
          };
          const timer = setTimeout(() => {
            signal.removeEventListener("abort", abort);
            resolve();
          }, ms);
          signal.addEventListener("abort", abort, { once: true });
        }),
    };
  }

  #next(end: number): [Handle, Entry] | undefined {
    let first: [Handle, Entry] | undefined;
    for (const entry of this.#entries) {
      if (entry[1].at <= end && (!first || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }
}

class Handle {
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

/** Lets everything happen that needs no time: ticks, microtasks, and what they start. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
