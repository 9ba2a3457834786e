import type { Socket } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { IssuedCertificate } from "../certificates.ts";
import type { Authority } from "./authority.ts";
import { type CutDatabase, type FaultPoints, once, type Undo } from "./fault-points.ts";
import type { Listener } from "./listener.ts";
import type { Target } from "./target.ts";
import type { Wire } from "./wire.ts";

/** What decisions of the proxy ask before they decide. */
export interface Disturbances {
  readonly iamIsThrottled: boolean;
  /** Milliseconds by which the proxy's clock is ahead when it judges tokens. */
  readonly clockSkewMs: number;
  /** Presented instead of the proxy's own certificate. */
  readonly secureContext: SecureContext | undefined;
}

/** The state of the decisions that faults reach, and what wraps the authority with it. */
export class Switches implements Disturbances {
  iamIsThrottled = false;
  clockSkewMs = 0;
  secureContext: SecureContext | undefined;
  grantIsRevoked = false;
  secretIsOutOfReach = false;

  /** The authority as it answers while faults run. */
  over(authority: Authority): Authority {
    return {
      issuedCredentials: (accessKeyId) => authority.issuedCredentials(accessKeyId),
      mayConnect: async (roleArn, user) => !this.grantIsRevoked && authority.mayConnect(roleArn, user),
      databaseLogin: async () => (this.secretIsOutOfReach ? undefined : authority.databaseLogin()),
      clientMayReachProxy: () => authority.clientMayReachProxy(),
      proxyMayReachDatabase: () => authority.proxyMayReachDatabase(),
    };
  }

  /** Sets what is named until it is undone. */
  set(change: Partial<Switches>, back: Partial<Switches>): Undo {
    Object.assign(this, change);
    return once(() => {
      Object.assign(this, back);
    });
  }
}

/** The parts of a proxy that its fault points reach. */
export interface FaultyParts {
  readonly switches: Switches;
  readonly wire: Wire;
  readonly listener: Listener;
  readonly target: Target;
  /** Every client's, as it came from the listener. */
  readonly sockets: ReadonlySet<Socket>;
}

/** The fault points of a proxy made of these parts. */
export function faultPointsOf({ switches, wire, listener, target, sockets }: FaultyParts): FaultPoints {
  const resetClients = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    refuseConnections: async () => listener.block(),
    silence: () => wire.hold(),
    delayTraffic: (ms) => wire.delay(ms),
    resetClients,
    async goDown() {
      const open = listener.block();
      resetClients();
      target.drop();
      return open;
    },
    presentCertificate: (certificate) =>
      switches.set({ secureContext: readContext(certificate) }, { secureContext: undefined }),
    skewClock: (ms) => switches.set({ clockSkewMs: ms }, { clockSkewMs: 0 }),
    throttleIam: () => switches.set({ iamIsThrottled: true }, { iamIsThrottled: false }),
    revokeGrant: () => switches.set({ grantIsRevoked: true }, { grantIsRevoked: false }),
    stopSecretAccess: () => switches.set({ secretIsOutOfReach: true }, { secretIsOutOfReach: false }),
    cutDatabase: (): CutDatabase => ({ processIds: target.cut(), undo: once(() => target.mend()) }),
  };
}

/** TLS 1.2 at least, as RDS Proxy asks of clients. */
export const readContext = ({ key, cert }: IssuedCertificate): SecureContext =>
  createSecureContext({ key, cert, minVersion: "TLSv1.2" });
