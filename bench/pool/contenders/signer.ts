import { Signer } from "@aws-sdk/rds-signer";
import type { Target } from "../messages.ts";

/** One signer a pool, with the SDK's own credential chain. */
export function signerOf({ host, port, user, region }: Target): Signer {
  return new Signer({ hostname: host, port, username: user, region });
}
