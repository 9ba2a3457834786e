import assert from "node:assert/strict";

/**
 * What may be established when, written down a second time and in other words: at most so many at once; after a failure that may pass one,
 * and not before half of a pause that doubles from 100 ms to 1 s, and no later than the whole of it, is over.
 */
export class GateModel {
  readonly #atOnce: number;
  /** Establishments that run, each with the number of failures that were known when it began. */
  readonly #running = new Map<object, number>();
  #failures = 0;
  #failedAt = 0;
  /** Idle connections that died in the very turn in which they were taken: pg-pool makes another in place of each, unasked. */
  #unasked = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  get running(): number {
    return this.#running.size;
  }

  admitUnasked(count: number): void {
    this.#unasked = Math.max(this.#unasked, count);
  }

  /** Returns whether it may be one that nobody asked for. */
  began(establishment: object, now: number): boolean {
    const unasked = this.#unasked > 0;
    if (unasked) this.#unasked -= 1;
    else {
      const pause = `${now - this.#failedAt} ms after failure ${this.#failures} in a row`;
      assert.ok(this.#mayBegin(now, 0.5), `An establishment began beside ${this.running} others, ${pause}`);
    }
    this.#running.set(establishment, this.#failures);
    return unasked;
  }

  /** Returns whether it was under way. */
  succeeded(establishment: object): boolean {
    if (!this.#running.delete(establishment)) return false;
    this.#failures = 0;
    return true;
  }

  /** Returns whether it was under way. */
  failed(establishment: object, final: boolean, now: number): boolean {
    const known = this.#running.get(establishment);
    if (!this.#running.delete(establishment)) return false;
    if (!final && known === this.#failures) {
      this.#failures += 1;
      this.#failedAt = now;
    }
    return true;
  }

  /** Whether nothing forbids another any more, whatever the jitter. */
  surelyOpen(now: number): boolean {
    return this.#mayBegin(now, 1);
  }

  #mayBegin(now: number, share: number): boolean {
    if (this.#failures === 0) return this.running < this.#atOnce;
    const pauseMs = Math.min(1_000, 100 * 2 ** (this.#failures - 1));
    return this.running < 1 && now - this.#failedAt >= Math.floor(pauseMs * share);
  }
}
