import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Length of the passwords of the master user and of the superuser, in characters. */
const LENGTH = 32;

/**
 * Finds a password in a text, though only PostgreSQL's SCRAM verifier of it is known (RFC 5803): each stretch of 32 characters that
 * could be one is tried.
 */
export function findPassword(text: string, verifier: string): string | undefined {
  const [, iterations, salt, storedKey] = /^SCRAM-SHA-256\$(\d+):(.+)\$(.+):/.exec(verifier) ?? [];
  if (salt === undefined) throw new Error("not a SCRAM-SHA-256 verifier");
  const fits = (password: string): boolean => {
    const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
    const clientKey = createHmac("sha256", salted).update("Client Key").digest();
    return createHash("sha256").update(clientKey).digest("base64") === storedKey;
  };
  // RDS uses neither of these in a password, and neither does base64url.
  const stretches = new Set(text.split(/[\s/'"@]+/).flatMap((run) => windows(run)));
  return [...stretches].find(fits);
}

function windows(run: string): string[] {
  return Array.from({ length: Math.max(0, run.length - LENGTH + 1) }, (_, start) => run.slice(start, start + LENGTH));
}
