import { Fields } from "./fields.ts";

/** How much a stack promises. Production is the stricter, and what a stack is that does not say. */
export type Tier = "production" | "staging";

/** One resource, whoever declared it: the engine in a preview, or the program when it is evaluated without one. */
export interface Resource {
  readonly urn: string;
  /** Type token, such as `aws:rds/proxy:Proxy`. */
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** Inputs and computed outputs together. */
  readonly fields: Fields;
}

/** Type of the resource that stands for the whole stack: what a control looks at that is about no single resource. */
const STACK_TYPE = "pulumi:pulumi:Stack";

/** The resources of a stack and how they hang together. */
export class Stack {
  readonly tier: Tier;
  readonly resources: readonly Resource[];
  readonly #byType: ReadonlyMap<string, readonly Resource[]>;

  constructor(tier: Tier, resources: readonly Resource[]) {
    this.tier = tier;
    this.resources = resources;
    this.#byType = Map.groupBy(resources, ({ type }) => type);
  }

  /** Resources of some types, by whole token. */
  ofType(...types: readonly string[]): readonly Resource[] {
    return types.flatMap((type) => this.#byType.get(type) ?? []);
  }

  /** The stack itself, for controls that are about no single resource. */
  get itself(): Resource {
    return (
      this.ofType(STACK_TYPE)[0] ?? {
        urn: "",
        type: STACK_TYPE,
        name: "stack",
        fields: new Fields({}),
      }
    );
  }

  /**
   * A resource's id, which the engine does not hand to policies. AWS's provider repeats it among the outputs; where one does not, the
   * ARN ends in it.
   *
   * @throws NotKnownYet
   */
  idOf({ fields }: Resource): string | undefined {
    return fields.text("id") ?? fields.text("arn")?.split(/[:/]/).at(-1);
  }

  /** The resource of a type whose property has a value, such as an ARN. Undefined when it is not of this stack. */
  find(type: string, property: string, value: string | undefined): Resource | undefined {
    if (value === undefined) return undefined;
    return this.ofType(type).find(({ fields }) => fields.text(property) === value);
  }
}

/** A resource as people name it: the last part of its type and its logical name, such as `Proxy proxy`. */
export function label({ type, name }: Pick<Resource, "type" | "name">): string {
  return `${type.split(":").at(-1)} ${name}`;
}
