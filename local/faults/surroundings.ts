import type { IssuedCertificate } from "../certificates.ts";
import type { FaultPoints } from "../proxy/fault-points.ts";
import type { CredentialsFaultPoints } from "./credentials-points.ts";

/** What faults act on: the places where AWS's would, and nothing of the application. */
export interface Surroundings {
  readonly proxy: FaultPoints;
  readonly credentials: CredentialsFaultPoints;
  readonly database: {
    /** Restarts PostgreSQL; resolves once it accepts connections again. */
    restart(options: { readonly downMs: number }): Promise<void>;
    /** Ends these backends and what they are at, and waits until they are gone. */
    terminate(processIds: readonly number[]): Promise<void>;
  };
  readonly secret: {
    /** Gives rotations that name no window this one, in milliseconds, until the function that comes back is called. */
    widenWindow(windowMs: number): () => void;
  };
  /** Issues a certificate for the proxy's right name from an authority that no client knows. */
  issueForeignCertificate(): Promise<IssuedCertificate>;
}
