import { EventEmitter } from "node:events";

/** What the server says in ReadyForQuery: idle, in a transaction, in a failed one. */
export type Status = "I" | "T" | "E";

/** In which state a connection is given back; the last three while a statement runs. */
export type Manner = "clean" | "discard" | "in transaction" | "in failed one" | "at work" | "beginning" | "failing";

const STATEMENTS: Partial<Record<Manner, string>> = { "at work": "SELECT 2", beginning: "BEGIN", failing: "fail" };

type Connected = (error: Error | null) => void;

interface Statement {
  readonly text: string;
  readonly resolve: (result: object) => void;
  readonly reject: (error: Error) => void;
}

/** Told of each client that begins to connect. */
export type Began = (client: ScriptedClient) => void;

/**
 * What pg-pool and the pool's core see of a `pg.Client`, without a server: whether it connects, when it answers and when it dies, the test
 * decides.
 */
export class ScriptedClient extends EventEmitter {
  state: "connecting" | "standing" | "gone" = "connecting";
  /** As node-postgres keeps them; pg-pool reads them. */
  readyForQuery = false;
  _queryable = true;
  _ending = false;
  status: Status | null = null;
  /** How long the server takes to answer; 0 within the turn, infinite for one that is gone without a word. */
  latencyMs = 0;
  readonly connection = { stream: { destroyed: false } };
  readonly #began: Began;
  #connected: Connected | undefined;
  #statement: Statement | undefined;
  #answering: NodeJS.Timeout | undefined;

  constructor(began: Began) {
    super();
    this.#began = began;
    this.on("error", () => {});
  }

  connect(connected: Connected): void {
    this.#connected = connected;
    this.#began(this);
  }

  succeed(): void {
    this.state = "standing";
    this.readyForQuery = true;
    this.status = "I";
    this.#connected?.(null);
  }

  fail(error: Error): void {
    this.#close();
    this.#connected?.(error);
  }

  getTransactionStatus(): Status | null {
    return this.status;
  }

  /** One statement at a time. `BEGIN`, `ROLLBACK` and `SELECT …` are understood; `fail` fails, and its ReadyForQuery comes later. */
  query(text: string): Promise<object> {
    if (!this._queryable || this._ending) return Promise.reject(new Error("Client is not queryable"));
    if (this.#statement || !this.readyForQuery)
      return Promise.reject(new Error("The script runs one statement at a time"));
    if (text === "SELECT 1" && this.state === "standing") this.emit("asked");
    this.readyForQuery = false;
    return new Promise((resolve, reject) => {
      this.#statement = { text, resolve, reject };
      if (text === "fail") process.nextTick(reject, new Error("division by zero"));
      this.#answerLater();
    });
  }

  /** Brings a client that is lent into the state in which its holder gives it back. */
  prepare(manner: Manner): void {
    if (this.state !== "standing") return;
    if (manner === "in transaction" || manner === "failing") this.status = "T";
    if (manner === "in failed one") this.status = "E";
    const statement = STATEMENTS[manner];
    if (statement) this.query(statement).catch(() => {});
  }

  /** From now on the server answers at once, what it still owes included. */
  recover(): void {
    this.latencyMs = 0;
    if (this.#statement) process.nextTick(() => this.#answer());
  }

  /**
   * The server, or the way to it, is lost: the socket is closed at once, and node-postgres says so at the next tick.
   *
   * @param told called then, once pg-pool knows
   */
  die(told: () => void): void {
    if (this.state === "gone") return;
    this.state = "gone";
    this.connection.stream.destroyed = true;
    process.nextTick(() => {
      this._queryable = false;
      const lost = new Error("Connection terminated unexpectedly");
      this.#abandon(lost);
      if (!this._ending) this.emit("error", lost);
      this.emit("end");
      told();
    });
  }

  end(ended?: () => void): void {
    this._ending = true;
    const wasGone = this.state === "gone";
    if (!wasGone) {
      this.#close();
      this.#abandon(new Error("Connection terminated"));
    }
    if (ended) process.nextTick(ended);
  }

  ref(): void {}
  unref(): void {}

  #answerLater(): void {
    const { latencyMs } = this;
    if (latencyMs === 0) process.nextTick(() => this.#answer());
    else if (Number.isFinite(latencyMs)) this.#answering = setTimeout(() => this.#answer(), latencyMs);
  }

  #answer(): void {
    const statement = this.#statement;
    if (!statement) return;
    clearTimeout(this.#answering);
    this.#statement = undefined;
    const { text } = statement;
    if (text === "BEGIN") this.status = "T";
    else if (text === "ROLLBACK") this.status = "I";
    else if (text === "fail" && this.status === "T") this.status = "E";
    this.readyForQuery = true;
    statement.resolve({});
    this.emit("drain");
  }

  #abandon(error: Error): void {
    clearTimeout(this.#answering);
    this.#statement?.reject(error);
    this.#statement = undefined;
  }

  #close(): void {
    this.state = "gone";
    this._queryable = false;
    this.connection.stream.destroyed = true;
    process.nextTick(() => this.emit("end"));
  }
}
