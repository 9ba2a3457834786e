import { hex, type Place } from "../place.ts";

/** The inputs or outputs of a resource, or the arguments or result of a function, as the engine sends them. */
export type Properties = Readonly<Record<string, unknown>>;

/** A resource that is being made. */
export interface Made {
  /** Logical name. */
  readonly name: string;
  readonly inputs: Properties;
  /** Stack that it is of, where several stand in one account: ids are unique there, logical names are not. Default none. */
  readonly stack?: string;
  /** How many of the same URN came before it, as replacements do. Default 0. */
  readonly predecessors?: number;
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

/** Hexadecimal digits in place of AWS's random ones: the same at each evaluation, others for each resource that there ever was. */
export function digits({ name, stack, predecessors = 0 }: Made, count = 17): string {
  return hex(
    [...(stack === undefined ? [] : [stack]), name, ...(predecessors === 0 ? [] : [predecessors])].join("/"),
    count,
  );
}

/** An id of the form that KMS and others give. */
export function uuid(made: Made): string {
  const h = digits(made, 32);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
}

/** What must be text by now, or a number. */
export function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new TypeError(`expected text or a number, got ${JSON.stringify(value)}: the program left an input unset`);
}
