import { UNKNOWN } from "../awsx/composition.ts";
import { type Made, OUTPUTS, type Properties } from "../outputs.ts";
import type { Place } from "../place.ts";
import type { Account } from "./account.ts";
import { hasUnknown, isSame, parseUrn, withoutSecrecy } from "./protocol.ts";
import { mutabilityOf } from "./replacement.ts";

/** What the engine is told of a difference between two sets of inputs. */
export interface Difference {
  readonly changed: readonly string[];
  readonly replacing: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** A resource as it stands: its id, and inputs and computed outputs together. */
export interface Standing {
  readonly id: string;
  readonly properties: Properties;
}

/** Digits of a name that the provider makes up, as the Terraform bridge does it. */
const RANDOM_DIGITS = 7;

/**
 * The inputs that a resource will have: where its type is autonamed and the program gives no name, the old name, or a new one.
 *
 * @param old inputs of the resource as it stands; undefined for one that is to be made, a replacement too
 * @param seed of the engine, other for each resource that is to be made
 */
export function checked(urn: string, inputs: Properties, old: Properties | undefined, seed: Uint8Array): Properties {
  const { type, name } = parseUrn(urn);
  const { autonamed } = mutabilityOf(type);
  if (autonamed === undefined || inputs[autonamed] !== undefined) return inputs;
  const digits = Buffer.from(seed).toString("hex").slice(0, RANDOM_DIGITS);
  return { ...inputs, [autonamed]: old?.[MADE_UP] === true ? old[autonamed] : `${name}-${digits}`, [MADE_UP]: true };
}

/** Says among the inputs that the provider made up the name. The bridge keeps the same under `__defaults`. */
const MADE_UP = "__madeUpName";

/** What differs, and what of it needs another resource. */
export function difference(urn: string, old: Properties, inputs: Properties): Difference {
  const { createOnly, autonamed } = mutabilityOf(parseUrn(urn).type);
  const names = new Set([...Object.keys(old), ...Object.keys(inputs)]);
  const changed = [...names].filter((name) => name !== MADE_UP && !isSame(old[name], inputs[name]));
  const replacing = changed.filter((name) => createOnly.includes(name));
  // The bridge's `nameRequiresDeleteBeforeReplace`: two of one name cannot stand together.
  const keepsName = autonamed !== undefined && inputs[MADE_UP] !== true && isSame(old[autonamed], inputs[autonamed]);
  const deleteBeforeReplace = replacing.length > 0 && keepsName;
  return { changed, replacing, deleteBeforeReplace };
}

/** What is known of a resource before it is made: its inputs, and which outputs it will have. */
export function foreseen(urn: string, inputs: Properties, place: Place, account: Account): Properties {
  const { outputs } = computed(urn, inputs, place, account);
  return { ...Object.fromEntries(Object.keys(outputs).map((key) => [key, UNKNOWN])), ...inputs };
}

/** Makes a resource. */
export function create(urn: string, inputs: Properties, place: Place, account: Account): Promise<Standing> {
  return account.carryOut("create", urn, "", inputs, (operation) => {
    if (hasUnknown(inputs)) throw new Error(`${urn} is to be made of inputs that are not known`);
    const { id, outputs } = computed(urn, inputs, place, account);
    account.stand(operation.type, String(outputs.arn ?? id), urn);
    operation.id = id;
    return { id, properties: { ...outputs, ...inputs } };
  });
}

/** Changes a resource in place. What AWS computed stays, but for what says so itself. */
export function update(
  urn: string,
  id: string,
  standing: Properties,
  inputs: Properties,
  account: Account,
): Promise<Properties> {
  return account.carryOut("update", urn, id, inputs, () => ({ ...standing, ...inputs }));
}

/** Takes a resource away. */
export function remove(urn: string, id: string, properties: Properties, account: Account): Promise<void> {
  return account.carryOut("delete", urn, id, properties, ({ type }) =>
    account.remove(type, String(properties.arn ?? id)),
  );
}

/** Reads a resource, which is as it was made: nobody else changes anything in this account. */
export function read(urn: string, id: string, properties: Properties, account: Account): Promise<Standing> {
  return account.carryOut("read", urn, id, properties, () => ({ id, properties }));
}

function computed(urn: string, inputs: Properties, place: Place, account: Account) {
  const { type, name, stack } = parseUrn(urn);
  const computes = OUTPUTS[type];
  if (computes === undefined)
    throw new Error(
      `no computed outputs for the resource type ${type} (${name}): add it to OUTPUTS in local/outputs.ts`,
    );
  const plain = withoutSecrecy(inputs) as Properties;
  const made: Made = { name, inputs: plain, stack, predecessors: account.predecessors(urn) };
  return computes(made, place);
}
