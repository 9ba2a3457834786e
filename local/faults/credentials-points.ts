import { setTimeout as delay } from "node:timers/promises";
import { once, type Undo } from "../proxy/fault-points.ts";

/** Where faults act on the credentials endpoint of a task. */
export interface CredentialsFaultPoints {
  /**
   * Lets every credential issued so far die and hands the last ones out as expired. At the end new ones are issued; the old ones
   * live again for the rest of their time, since a client that keeps them believes what it was told of their expiration.
   */
  expireCredentials(): Undo;
  /** Answers that much later. At the end whoever waits is answered at once. */
  delayAnswers(ms: number): Undo;
  /** Answers 429, as the agent of ECS does to a task that asks too often. */
  throttleAnswers(): Undo;
}

/** What the endpoint does to the credentials that it hands out. */
export interface CredentialsHooks {
  /** Expires them, until the function that comes back is called. */
  readonly expire: () => () => void;
}

/** The state of the endpoint's fault points, which the endpoint asks at each request. */
export class CredentialsFaults implements CredentialsFaultPoints {
  readonly #hooks: CredentialsHooks;
  #expired = false;
  #throttled = false;
  #delay: { readonly ms: number; readonly ended: AbortController } | undefined;

  constructor(hooks: CredentialsHooks) {
    this.#hooks = hooks;
  }

  get expired(): boolean {
    return this.#expired;
  }

  get throttled(): boolean {
    return this.#throttled;
  }

  /** Waits as long as answers are to be delayed. Never rejects. */
  async pause(): Promise<void> {
    if (this.#delay === undefined) return;
    const { ms, ended } = this.#delay;
    // Nobody is answered any more once the endpoint has closed: the process is not to live on for that.
    await delay(ms, undefined, { signal: ended.signal, ref: false }).catch(() => {});
  }

  expireCredentials(): Undo {
    this.#expired = true;
    const renew = this.#hooks.expire();
    return once(() => {
      this.#expired = false;
      renew();
    });
  }

  delayAnswers(ms: number): Undo {
    const ended = new AbortController();
    this.#delay = { ms, ended };
    return once(() => {
      this.#delay = undefined;
      ended.abort();
    });
  }

  throttleAnswers(): Undo {
    this.#throttled = true;
    return once(() => {
      this.#throttled = false;
    });
  }
}
