import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { isSecret, SIGNATURE, UNKNOWN } from "../awsx/composition.ts";
import type { Properties } from "../outputs/computed.ts";

/** The engine's form of an object of properties. */
export type Wire = InstanceType<typeof struct.Struct>;

/** A resource's place in a stack, as its URN tells. */
export interface Name {
  readonly stack: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
}

/** Kind of value that stands for a resource ("Special values" of Pulumi's SDKs). */
const RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";

/** Longest message of the protocol in bytes, as Pulumi's SDKs set it. */
export const LONGEST_MESSAGE = 400 * 1024 * 1024;

export function toWire(properties: Properties): Wire {
  return struct.Struct.fromJavaScript(
    withoutUndefined(properties) as Parameters<typeof struct.Struct.fromJavaScript>[0],
  );
}

export function fromWire(wire: Wire | undefined): Properties {
  return (wire?.toJavaScript() ?? {}) as Properties;
}

/** `urn:pulumi:<stack>::<project>::<types of the ancestors and its own, joined by $>::<name>` */
export function parseUrn(urn: string): Name {
  const [stack = "", , types = "", ...name] = urn.split("::");
  return { stack: stack.split(":").at(-1) ?? "", type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

/** A whole resource as the value of an output. */
export function resourceReference(urn: string, id: string): Properties {
  return { [SIGNATURE]: RESOURCE_REFERENCE, urn, id, packageVersion: "" };
}

/** The value without its wrapping as a secret, at every depth. */
export function withoutSecrecy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrecy);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return withoutSecrecy(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrecy(inner)]));
}

/** Whether two values are the same but for the order of keys. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** Whether something in the value is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A message of the protocol knows null and absence, but not undefined. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutUndefined(item ?? null));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutUndefined(inner)]));
}
