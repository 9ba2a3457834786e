import { hex, type Place } from "../place.ts";

/** The inputs or outputs of a resource, or the arguments or result of a function, as the engine sends them. */
export type Properties = Readonly<Record<string, unknown>>;

/** A resource that is being made. */
export interface Made {
  /** Logical name. */
  readonly name: string;
  readonly inputs: Properties;
}

/** What AWS adds to a resource: its id, and the outputs that are not inputs. */
export interface Computed {
  readonly id: string;
  readonly outputs: Properties;
}

/** Computed outputs of a type of resource. */
export type ComputeOutputs = (made: Made, place: Place) => Computed;

/** The name that was given, or one as Pulumi makes it: the logical name and seven hexadecimal digits. */
export function named({ name, inputs }: Made): string {
  return inputs.name === undefined ? `${name}-${hex(name, 7)}` : text(inputs.name);
}

/** An id of the form that KMS and others give. */
export function uuid({ name }: Made): string {
  const h = hex(name, 32);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
}

/** What must be text by now, or a number. */
export function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new TypeError(`expected text or a number, got ${JSON.stringify(value)}: the program left an input unset`);
}
