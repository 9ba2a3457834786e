import type { Load, Work } from "./plan.ts";

/** Where the measured pools connect to, as whom. */
export interface Target {
  readonly region: string;
  /** The declared endpoint: dialled, signed for and verified in TLS. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** What stands around a client's process: the names that it dials, its credentials, its certificate authority. */
export interface Surroundings {
  readonly target: Target;
  readonly listenPort: number;
  readonly caFile: string;
  readonly credentials: { readonly fullUri: string; readonly authorizationToken: string };
}

/** What the server's process is asked, and answers. */
export interface ServerCalls {
  /** Brings everything up. */
  start: { asked: object; answer: Surroundings };
  /** Drops every connection; answers when, in milliseconds since 1970. */
  drop: { asked: object; answer: { readonly at: number } };
}

/** One measured load. */
export interface LoadResult {
  /** Statements or transactions that were answered in each second, those with the expected error included. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the client's process for each of them, in microseconds. */
  readonly cpuMicros: number;
  readonly answered: number;
  /** Errors that the load asked for. */
  readonly failed: number;
  /** Errors that it did not. */
  readonly unexpected: number;
  /** The first of them. */
  readonly unexpectedMessage: string | undefined;
}

/** How a pool came back after every connection was dropped; milliseconds from the drop, undefined when it took longer than was watched. */
export interface Recovery {
  readonly nextSuccessMs: number | undefined;
  readonly fullThroughputMs: number | undefined;
  /** Statements that failed. */
  readonly failed: number;
  /** Statements that were never answered. */
  readonly unanswered: number;
}

/** Memory of a connection, in KiB: what the process has more of after many were opened, divided by their number. */
export interface Memory {
  readonly heapKib: number;
  readonly residentKib: number;
}

/** What a client's process is asked, and answers. */
export interface ClientCalls {
  /** Makes the pool of one contender; opens no connection. */
  open: { asked: { readonly contender: string; readonly target: Target; readonly max: number }; answer: object };
  /** Milliseconds until the pool had lent so many connections at the same time. */
  firstConnections: { asked: { readonly count: number }; answer: { readonly ms: number } };
  /** Runs a load and forgets it. */
  warmUp: { asked: { readonly work: Work; readonly ms: number }; answer: object };
  load: { asked: Load & { readonly leadMs: number; readonly ms: number }; answer: LoadResult };
  /** Starts a load that goes on until it is asked for. */
  beginRecovery: { asked: object; answer: object };
  /** Ends it. The drop's time is in milliseconds since 1970. */
  endRecovery: { asked: { readonly droppedAt: number }; answer: Recovery };
  /** Milliseconds that each mint took, in their order. */
  mint: { asked: { readonly count: number }; answer: { readonly ms: readonly number[] } };
  /** Errors so far that no caller could catch, and that end a process. */
  uncaught: { asked: object; answer: { readonly messages: readonly string[] } };
  memory: { asked: { readonly connections: number }; answer: Memory };
}

/** A request to a process, and its answer, as they travel. */
export interface Request {
  readonly id: number;
  readonly call: string;
  readonly request: object;
}
export interface Reply {
  readonly id: number;
  readonly result?: object;
  readonly error?: string;
}
