import { type Computed, OUTPUTS, type Properties } from "../outputs.ts";
import type { Place } from "../place.ts";
import type { DeclaredResource } from "../program/resource.ts";
import { COMPONENTS } from "./components.ts";
import {
  BELOW_COMPONENT,
  BELOW_STACK,
  type Child,
  type Composition,
  isSecret,
  references,
  resolve,
  UNKNOWN,
} from "./composition.ts";

/** A composition whose every reference is known, since all that AWS would compute was computed. */
interface Settled {
  readonly children: readonly { readonly child: Child; readonly inputs: Properties; readonly computed: Computed }[];
  readonly outputs: Properties;
}

/** Options of a child: awsx sets none. Whether it is protected is its component's to say, or a transform's. */
const AS_BY_DEFAULT: Omit<DeclaredResource["options"], "protect"> = {
  retainOnDelete: false,
  transforms: [],
  deleteBeforeReplace: undefined,
  ignoreChanges: [],
  replaceOnChanges: [],
  replacementTrigger: undefined,
  customTimeouts: { create: "", update: "", delete: "" },
};

/** Whether resources of this type are components that the provider awsx makes. */
export function isComposed(type: string): boolean {
  return COMPONENTS[type] !== undefined;
}

/** Outputs of a component of awsx, as it would compute them from what AWS computes for its children. */
export function composedOutputs(type: string, name: string, inputs: Properties, place: Place): Properties {
  const composition = compose(type, name, inputs, place);
  return composition === undefined ? {} : settle(composition, place).outputs;
}

/**
 * What the provider awsx makes for a declared component, as if the program had declared it itself; nothing for any other resource.
 *
 * @param preview whether what AWS would compute is not known yet
 */
export function childrenOf(component: DeclaredResource, place: Place, preview: boolean): readonly DeclaredResource[] {
  const composition = compose(component.type, component.name, component.inputs, place);
  if (composition === undefined) return [];
  const urns = new Map<string, string>();
  return settle(composition, place, preview).children.map(({ child, inputs, computed }) => {
    const parent = parentUrn(child, component, urns);
    const urn = childUrn(parent, child);
    urns.set(child.key, urn);
    const from = (value: unknown) => [...new Set(references(value).map((reference) => urnOf(urns, reference.child)))];
    const propertyDependencies = Object.fromEntries(
      Object.entries(child.inputs).map(([property, value]) => [property, from(value)]),
    );
    const { props: transformed, protect } = transform(component, child, inputs);
    const own = child.dependsOn.map((key) => urnOf(urns, key));
    return {
      urn,
      type: child.type,
      name: child.name,
      custom: true,
      parent,
      madeBy: component.urn,
      id: computed.id,
      inputs: transformed,
      outputs: { ...transformed, ...computed.outputs },
      dependencies: [...new Set([...own, ...Object.values(propertyDependencies).flat()])],
      propertyDependencies,
      aliases: [],
      options: { ...AS_BY_DEFAULT, protect },
    };
  });
}

/** Inputs and protection as the engine would hand them on: changed by the transforms that the program gave the component. */
function transform(
  { options }: DeclaredResource,
  { type, name }: Child,
  inputs: Properties,
): { readonly props: Properties; readonly protect: boolean } {
  let props = inputs;
  let protect = options.protect;
  for (const change of options.transforms) {
    const changed = change({ type, name, custom: true, props: { ...props }, opts: { protect } });
    if (changed instanceof Promise)
      throw new TypeError(`a transform of ${type} ${name} answers later: make it synchronous`);
    props = changed?.props ?? props;
    protect = changed?.opts.protect ?? protect;
  }
  return { props, protect };
}

function compose(type: string, name: string, inputs: Properties, place: Place): Composition | undefined {
  return COMPONENTS[type]?.(name, inputs, place);
}

/** Computes what AWS would, child by child. */
function settle({ children, outputs }: Composition, place: Place, preview = false): Settled {
  const made = new Map<string, { readonly inputs: Properties; readonly computed: Computed }>();
  const known = (value: unknown) =>
    resolve(value, ({ child, property, prefix }) => {
      const sibling = made.get(child);
      if (sibling === undefined) throw new Error(`nothing before is called ${child}: list children in their order`);
      const all: Properties = { id: sibling.computed.id, ...sibling.inputs, ...sibling.computed.outputs };
      if (preview) return property === undefined ? sibling.inputs : undefined;
      return property === undefined ? all : prefix === "" ? all[property] : `${prefix}${String(all[property])}`;
    }) as Properties;
  const settled = children.map((child) => {
    const inputs = plain(known(child.inputs)) as Properties;
    const computed = preview ? { id: "", outputs: {} } : outputsOf(child, inputs, place);
    made.set(child.key, { inputs, computed });
    return { child, inputs, computed };
  });
  return { children: settled, outputs: plain(known(outputs)) as Properties };
}

function outputsOf({ type, name }: Child, inputs: Properties, place: Place): Computed {
  const computes = OUTPUTS[type];
  if (computes === undefined)
    throw new Error(
      `no computed outputs for the resource type ${type} (${name}): add it to OUTPUTS in local/outputs.ts`,
    );
  return computes({ name, inputs }, place);
}

/** Whoever reads declarations wants a secret's value, and nothing where it is not known. */
function plain(value: unknown): unknown {
  if (value === UNKNOWN) return undefined;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function parentUrn({ parent }: Child, component: DeclaredResource, urns: ReadonlyMap<string, string>): string {
  if (parent === BELOW_COMPONENT) return component.urn;
  if (parent === BELOW_STACK) return stackUrn(component.urn);
  return urnOf(urns, parent);
}

function urnOf(urns: ReadonlyMap<string, string>, key: string): string {
  const urn = urns.get(key);
  if (urn === undefined) throw new Error(`nothing before is called ${key}: list children in their order`);
  return urn;
}

/** `urn:pulumi:<stack>::<project>::<types of the ancestors and its own, joined by $>::<name>`. The stack's type is left out. */
function childUrn(parent: string, { type, name }: Child): string {
  const [stack, project, types] = parent.split("::");
  return [stack, project, types === STACK_TYPE ? type : `${types}$${type}`, name].join("::");
}

const STACK_TYPE = "pulumi:pulumi:Stack";

function stackUrn(urn: string): string {
  const [stack = "", project = ""] = urn.split("::");
  return [stack, project, STACK_TYPE, `${project}-${stack.split(":").at(-1)}`].join("::");
}
