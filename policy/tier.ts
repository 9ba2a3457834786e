import { Fields } from "./fields.ts";
import type { Tier } from "./stack.ts";

/** The tier that a configuration or a tag names; production, the stricter, when it names none or something else. */
export function tierOf(named: string | undefined): Tier {
  return named === "staging" ? "staging" : "production";
}

/**
 * The tier by the tag `Environment` that the provider of AWS gives everything, where the engine does not hand the stack's configuration
 * to a policy pack: only its older way of starting one does. Production unless every provider says staging.
 *
 * @param providers properties of the stack's providers; nested ones are texts of JSON
 */
export function tierByTags(providers: readonly Fields[]): Tier {
  const environments = providers.map((provider) => {
    try {
      const tags = provider.value("defaultTags");
      const parsed: unknown = typeof tags === "string" ? JSON.parse(tags) : tags;
      return new Fields(parsed).object("tags").text("Environment");
    } catch {
      // A provider whose tags are not known or not readable is no reason to ask less.
      return undefined;
    }
  });
  return environments.length > 0 && environments.every((name) => name === "staging") ? "staging" : "production";
}
