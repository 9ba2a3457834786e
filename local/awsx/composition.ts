import type { Properties } from "../outputs/computed.ts";
import type { Place } from "../place.ts";

/** A value that is known only once a sibling exists: one of its outputs, its id, or the sibling itself. */
export class Reference {
  /** `key` of the sibling. */
  readonly child: string;
  /** Name of an output, or `id`. Undefined means the whole resource. */
  readonly property: string | undefined;
  /** Text before the value. */
  readonly prefix: string;

  constructor(child: string, property?: string, prefix = "") {
    this.child = child;
    this.property = property;
    this.prefix = prefix;
  }
}

/** A resource that a component makes. Inputs may hold a {@link Reference} at any depth. */
export interface Child {
  /** Unique within the component; what references and `dependsOn` name. */
  readonly key: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** A sibling's key, or where the child hangs otherwise: below the component, or below the stack. */
  readonly parent: string | typeof BELOW_COMPONENT | typeof BELOW_STACK;
  /** Keys of siblings that must exist first, beside those that the inputs refer to. */
  readonly dependsOn: readonly string[];
  readonly inputs: Properties;
}

export const BELOW_COMPONENT = Symbol("below the component");
export const BELOW_STACK = Symbol("below the stack");

/** All that a component comes to: its children, each after those that it refers to, and its outputs. */
export interface Composition {
  readonly children: readonly Child[];
  /** May hold references, as a child's inputs may. */
  readonly outputs: Properties;
}

/**
 * What a component makes of its inputs. Inputs that are not known yet, as in a preview, are missing or hold
 * {@link UNKNOWN}.
 */
export type Compose = (name: string, inputs: Properties, place: Place) => Composition;

/** How the engine's protocol writes text that is not known yet (`UnknownStringValue` of Pulumi's SDKs). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Key by which the engine's protocol tells that an object stands for a value of another kind ("Special values" of its SDKs). */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";

const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** How the engine's protocol writes a secret. */
export function secret(value: unknown): Properties {
  return { [SIGNATURE]: SECRET, value };
}

/** Whether a value is what {@link secret} writes. */
export function isSecret(value: object): value is { readonly value: unknown } {
  return Reflect.get(value, SIGNATURE) === SECRET;
}

/** Every reference in a value, at any depth. */
export function references(value: unknown): readonly Reference[] {
  if (value instanceof Reference) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(references);
}

/** The value with each reference in it replaced. */
export function resolve(value: unknown, look: (reference: Reference) => unknown): unknown {
  if (value instanceof Reference) return look(value);
  if (Array.isArray(value)) return value.map((item) => resolve(item, look));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner, look)]));
}
