/** How long a healthy connection needs at most to be fit for the next caller, in milliseconds: an answer is on its way, or a ROLLBACK. */
const SOON_MS = 100;

/**
 * Counts connections that can soon be lent, each until it can or until that takes longer than a healthy one needs: to open another in its
 * place would be a waste before, and to wait for it one afterwards.
 */
export class Expected {
  readonly #overdue: () => void;
  #count = 0;

  /** @param overdue called when one is no longer counted though it has not come */
  constructor(overdue: () => void) {
    this.#overdue = overdue;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts one more. Returns what ends that, and may be called again. */
  add(): () => void {
    this.#count += 1;
    let counted = 1;
    const stop = () => {
      clearTimeout(timer);
      this.#count -= counted;
      counted = 0;
    };
    const timer = setTimeout(() => {
      stop();
      this.#overdue();
    }, SOON_MS);
    return stop;
  }
}
