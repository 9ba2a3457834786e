/** What a lane carries: it calls `next` once the lane may go on to what follows. */
export type Passage = (next: () => void) => void;

/** How things pass at the moment. */
export interface Traffic {
  readonly held: boolean;
  /** Added to whatever enters a lane, in milliseconds. */
  readonly delayMs: number;
}

interface Waiting {
  readonly passage: Passage;
  readonly bytes: number;
  /** By `performance.now()`. */
  readonly due: number;
}

/** One direction of one connection: keeps what cannot pass yet, in order. */
export class Lane {
  readonly #traffic: Traffic;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #passing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  /** Whether nothing stands in the way, so that things may pass without entering. */
  get isOpen(): boolean {
    const { held, delayMs } = this.#traffic;
    return !held && delayMs === 0 && this.#waiting.length === 0 && !this.#passing;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  enter(bytes: number, passage: Passage): void {
    this.#waiting.push({ passage, bytes, due: performance.now() + this.#traffic.delayMs });
    this.#bytes += bytes;
    this.proceed();
  }

  /** Lets pass what may. To be called whenever the traffic changes. */
  proceed(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.#passing || this.#traffic.held) return;
      const leftMs = this.#traffic.delayMs === 0 ? 0 : first.due - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.proceed(), leftMs);
        return;
      }
      this.#waiting.shift();
      this.#bytes -= first.bytes;
      this.#pass(first.passage);
    }
  }

  #pass(passage: Passage): void {
    this.#passing = true;
    let returned = false;
    passage(() => {
      this.#passing = false;
      // One that passes at once leaves the rest to the loop: thousands of small ones would be as many calls within each other.
      if (returned) this.proceed();
    });
    returned = true;
  }
}
