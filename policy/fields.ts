/** A value that only the deployment will tell, as ids and ARNs in the preview of a new stack. */
export class NotKnownYet extends Error {
  readonly code = "NOT_KNOWN_YET";

  constructor(path: string, options?: ErrorOptions) {
    super(`${path} is not known before the resource exists`, options);
  }
}

/** A value has another form than its resource type says. */
export class UnexpectedForm extends Error {
  readonly code = "UNEXPECTED_FORM";
}

/**
 * The properties of a resource, or an object among them, read one at a time. Only what a control reads has to be known: the policy
 * SDK throws when it is asked for an unknown value, and that becomes {@link NotKnownYet} here. A property that is absent, null or
 * an empty text is undefined, since providers give unset properties in all three forms.
 */
export class Fields {
  /** Where this object is among the properties, for messages. */
  readonly path: string;
  readonly #object: object;

  /** @param value an object; undefined and null count as an empty one */
  constructor(value: unknown, path = "") {
    if (value !== undefined && value !== null && (typeof value !== "object" || Array.isArray(value))) {
      throw new UnexpectedForm(`${path || "the resource"} is no object`);
    }
    this.path = path;
    this.#object = (value as object | null | undefined) ?? {};
  }

  /** Names of the properties that are there, whatever they hold. */
  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  /** False for what only the deployment will tell, as outputs that the provider computes. */
  isKnown(name: string): boolean {
    try {
      this.value(name);
      return true;
    } catch {
      return false;
    }
  }

  /** The property as it is. @throws NotKnownYet */
  value(name: string): unknown {
    const found = readProperty(this.#object, name, this.#pathOf(name));
    return found === null || found === "" ? undefined : found;
  }

  /** A text; a number counts as its digits. @throws NotKnownYet, UnexpectedForm */
  text(name: string): string | undefined {
    const found = this.value(name);
    if (found === undefined || typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw new UnexpectedForm(`${this.#pathOf(name)} is no text`);
  }

  /** A number, or the text of one. @throws NotKnownYet, UnexpectedForm */
  number(name: string): number | undefined {
    const found = this.value(name);
    if (found === undefined) return undefined;
    const number = typeof found === "string" ? Number(found) : found;
    if (typeof number === "number" && Number.isFinite(number)) return number;
    throw new UnexpectedForm(`${this.#pathOf(name)} is no number`);
  }

  /** Whether the property is true; some types spell it as a text. @throws NotKnownYet */
  isTrue(name: string): boolean {
    const found = this.value(name);
    return found === true || found === "true";
  }

  /** A list of texts, empty where there is none; a single text counts as a list of one. @throws NotKnownYet, UnexpectedForm */
  texts(name: string): readonly string[] {
    return this.#items(name).map((item, index) => {
      if (typeof item !== "string") throw new UnexpectedForm(`${this.#pathOf(name)}.${index} is no text`);
      return item;
    });
  }

  /** A list of objects, empty where there is none. @throws NotKnownYet, UnexpectedForm */
  list(name: string): readonly Fields[] {
    return this.#items(name).map((item, index) => new Fields(item, `${this.#pathOf(name)}.${index}`));
  }

  /** An object, empty where there is none. @throws NotKnownYet, UnexpectedForm */
  object(name: string): Fields {
    return new Fields(this.value(name), this.#pathOf(name));
  }

  /** What a text holds as JSON; undefined where there is none. @throws NotKnownYet, UnexpectedForm */
  json(name: string): unknown {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new UnexpectedForm(`${this.#pathOf(name)} is no JSON`, { cause });
    }
  }

  #items(name: string): readonly unknown[] {
    const found = this.value(name);
    if (found === undefined) return [];
    if (!Array.isArray(found)) return [found];
    const list: object = found;
    return Array.from({ length: found.length }, (_, index) =>
      readProperty(list, String(index), `${this.#pathOf(name)}.${index}`),
    );
  }

  #pathOf(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }
}

function readProperty(object: object, name: string, path: string): unknown {
  try {
    return Reflect.get(object, name) as unknown;
  } catch (cause) {
    throw new NotKnownYet(path, { cause });
  }
}
