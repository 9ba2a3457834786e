const SCRUBBED = "[scrubbed]";

/**
 * The parts of a presigned URL that authenticate ("Authenticating Requests: Using Query Parameters", Amazon S3 API reference),
 * as a query string has them, URL-encoded or not, and as an object printed as JSON, escaped or not, has them.
 */
const TOKEN_PART =
  /(X-Amz-(?:Signature|Credential|Security-Token)(?:\\*["'])?\s*(?:=|%3D|:)\s*(?:\\*["'])?)[^&\s"'\\,}]+/gi;

/** Every way in which a known secret may stand in a text. */
function spellings(secret: string): readonly string[] {
  if (secret === "") return [];
  // Longest first: a shorter spelling can be part of a longer one.
  return [...new Set([encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret])].sort(
    (a, b) => b.length - a.length,
  );
}

/** Removes the signing parts of IAM tokens, and every spelling of the known `secrets`, from a text. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(TOKEN_PART, `$1${SCRUBBED}`);
  for (const secret of secrets) {
    for (const spelling of spellings(secret)) clean = clean.replaceAll(spelling, SCRUBBED);
  }
  return clean;
}

/**
 * The same for one line of JSON, which stays JSON: known secrets are replaced inside its strings only, since a secret such as `1` or `"`
 * would tear the line apart otherwise.
 */
export function scrubJsonLine(line: string, secrets: readonly string[] = []): string {
  const clean = scrub(line);
  if (!secrets.some((secret) => spellings(secret).some((spelling) => clean.includes(spelling)))) return clean;
  const tail = clean.endsWith("\n") ? "\n" : "";
  return (
    JSON.stringify(JSON.parse(clean, (_key, value) => (typeof value === "string" ? scrub(value, secrets) : value))) +
    tail
  );
}

/** How deep the causes of an error are looked into. */
const MAX_CAUSES = 10;

/**
 * The same, in place, for an error, its stack and its causes: whoever prints an error prints them too. Class, code and everything else of it
 * stay.
 */
export function scrubError(error: unknown): void {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    for (const part of ["message", "stack"] as const) {
      const text = current[part];
      const clean = text === undefined ? undefined : scrub(text);
      if (clean !== text) Object.defineProperty(current, part, { value: clean, configurable: true, writable: true });
    }
    if (current instanceof AggregateError) for (const each of current.errors) scrubError(each);
    current = current.cause;
  }
}
