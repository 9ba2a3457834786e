import type { IssuedCertificate } from "../certificates.ts";

/** Takes back what a fault point was told to do; resolves once the proxy is as before. May be called again. */
export type Undo = () => Promise<void>;

/** Database connections that were cut, and the way back. */
export interface CutDatabase {
  /** Backends that served the proxy: PostgreSQL notices the loss of an idle connection by itself, that of a busy one late. */
  readonly processIds: readonly number[];
  readonly undo: Undo;
}

/**
 * Where faults act on the proxy: in the network around it, and where it decides. None of them knows how sessions are relayed,
 * and nothing that relays them knows of these. One that is not in use costs nothing.
 */
export interface FaultPoints {
  /** Closes the port, so that new connections are refused; those that stand go on. */
  refuseConnections(): Promise<Undo>;
  /**
   * Swallows what passes between clients and proxy, in both directions, without closing anything: new connections are accepted
   * and hear nothing. At the end what was held back goes on its way, as TCP repeats it when a route heals.
   */
  silence(): Undo;
  /** Delays what passes between clients and proxy, in each direction. Only the TLS handshake of a new connection is spared. */
  delayTraffic(ms: number): Undo;
  /** Resets (RST) every connection of a client. */
  resetClients(): void;
  /** Closes the port and resets every connection, those to the database too: what the end of the proxy's process would do. */
  goDown(): Promise<Undo>;
  /** Presents another certificate to clients that connect from now on. */
  presentCertificate(certificate: IssuedCertificate): Undo;
  /** Sets the clock by which tokens are judged ahead of the true time, or behind it where `ms` is negative. */
  skewClock(ms: number): Undo;
  /** Refuses IAM authentication as RDS Proxy does when too many ask at once. */
  throttleIam(): Undo;
  /** Decides every question about `rds-db:connect` with no. */
  revokeGrant(): Undo;
  /** Lets every attempt to read the secret fail. */
  stopSecretAccess(): Undo;
  /** Cuts every connection to the database, and lets none be made. */
  cutDatabase(): CutDatabase;
}

/** An undo that acts once, however often it is called. */
export function once(undo: () => Promise<void> | void): Undo {
  let undone: Promise<void> | undefined;
  return () => {
    undone ??= Promise.resolve(undo());
    return undone;
  };
}
