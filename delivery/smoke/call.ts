import { messageOf } from "../../local/environment/teardown.ts";
import { DeliveryError } from "../run.ts";

/** Longest wait for one answer, in milliseconds. */
const ANSWER_MS = 10_000;

/** `/livez` says that the process answers, `/readyz` that it reaches the database. */
const PATHS = ["/livez", "/readyz"] as const;

/**
 * The address under which a service is called from here, or undefined where it cannot be reached.
 *
 * @param value what SMOKE_URL holds; empty for a service that only its VPC reaches
 * @throws DeliveryError for anything but an address over TLS without path, user or password
 */
export function addressOf(value: string): URL | undefined {
  if (value === "") return undefined;
  const url = URL.parse(value);
  const plain = url !== null && url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (plain && url.protocol === "https:" && url.password === "") return url;
  throw new DeliveryError("SMOKE_URL is not usable; allowed: https://HOST, without path, user or password, or nothing");
}

/** Calls a service, and says what speaks against it: nothing when each path answers 200 in time. */
export async function objectionsToAnswers(address: URL, call: typeof fetch = fetch): Promise<readonly string[]> {
  const answers = PATHS.map(async (path) => {
    const url = new URL(path, address);
    try {
      const { status } = await call(url, { signal: AbortSignal.timeout(ANSWER_MS), redirect: "manual" });
      return status === 200 ? [] : [`${url} answers ${status}, not 200`];
    } catch (error) {
      return [`${url} does not answer: ${messageOf(error)}`];
    }
  });
  return (await Promise.all(answers)).flat();
}
