import * as pulumi from "@pulumi/pulumi";
import type { Properties } from "../outputs.ts";

/** A resource as the program declared it and as the engine would have been sent it. */
export interface DeclaredResource {
  readonly urn: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** False for components, which exist in the program only. */
  readonly custom: boolean;
  readonly parent: string;
  /** URN of the component of awsx whose provider makes it; undefined for what the program declares itself. */
  readonly madeBy?: string;
  /** Names and places that the resource had before, as its declaration says. */
  readonly aliases: readonly DeclaredAlias[];
  readonly id: string;
  readonly inputs: Properties;
  /** Inputs and computed outputs together: what other resources read. */
  readonly outputs: Properties;
  /** URNs of everything that must exist first: own and property dependencies. */
  readonly dependencies: readonly string[];
  /** URNs that each input was computed from. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly options: {
    readonly protect: boolean;
    /** Whether it stays in AWS when the program no longer declares it. */
    readonly retainOnDelete: boolean;
    /** What changes the children of a remote component, in the order in which it does. */
    readonly transforms: readonly pulumi.ResourceTransform[];
    /** Undefined where the program leaves it to the provider. */
    readonly deleteBeforeReplace: boolean | undefined;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly replacementTrigger: unknown;
    readonly customTimeouts: { readonly create: string; readonly update: string; readonly delete: string };
  };
}

/** One former identity of a resource: a URN, or what differs from today's. Empty is as today. */
export interface DeclaredAlias {
  readonly urn: string;
  readonly name: string;
  readonly type: string;
  readonly parentUrn: string;
}

/** Pulumi's own form of an object of properties. */
type Struct = Parameters<typeof pulumi.runtime.deserializeProperties>[0];

/** The part of a registration request that is read here; Pulumi's own types of it are not exported. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getObject(): Struct;
  getDependenciesList(): string[];
  getPropertydependenciesMap(): { entries(): Iterable<[string, { getUrnsList(): string[] }]> };
  getAliasesList(): {
    getUrn(): string;
    getSpec(): { getName(): string; getType(): string; getParenturn(): string } | undefined;
  }[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getTransformsList(): { getToken(): string }[];
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
}

interface RegisterResponse {
  getUrn(): string;
  getId(): string;
  getObject(): Struct;
}

type Callback = (error: unknown, response: RegisterResponse) => void;

/**
 * Listens to what is sent to the engine's monitor. Pulumi's mocks are handed inputs only; what must exist before what is in the
 * requests.
 *
 * @param add is called for each resource once it is registered
 */
export function recordRegistrations(add: (resource: DeclaredResource) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegisterRequest, callback: Callback): unknown;
    /** Under mocks: the transforms by the tokens that requests name them by. */
    readonly transformCallbacks: ReadonlyMap<string, pulumi.ResourceTransform>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (!error) add(describe(request, response, monitor.transformCallbacks));
      callback(error, response);
    });
}

function describe(
  request: RegisterRequest,
  response: RegisterResponse,
  transforms: ReadonlyMap<string, pulumi.ResourceTransform>,
): DeclaredResource {
  const timeouts = request.getCustomtimeouts();
  const propertyDependencies = Object.fromEntries(
    [...request.getPropertydependenciesMap().entries()].map(([property, from]) => [property, from.getUrnsList()]),
  );
  return {
    urn: response.getUrn(),
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: request.getParent(),
    aliases: request.getAliasesList().map((alias) => {
      const spec = alias.getSpec();
      return {
        urn: alias.getUrn(),
        name: spec?.getName() ?? "",
        type: spec?.getType() ?? "",
        parentUrn: spec?.getParenturn() ?? "",
      };
    }),
    id: response.getId(),
    inputs: properties(request.getObject()),
    outputs: properties(response.getObject()),
    dependencies: [...new Set([...request.getDependenciesList(), ...Object.values(propertyDependencies).flat()])],
    propertyDependencies,
    options: {
      protect: request.getProtect(),
      retainOnDelete: request.getRetainondelete(),
      transforms: request.getTransformsList().map((callback) => known(transforms, callback.getToken())),
      deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
      customTimeouts: {
        create: timeouts?.getCreate() ?? "",
        update: timeouts?.getUpdate() ?? "",
        delete: timeouts?.getDelete() ?? "",
      },
    },
  };
}

function known(transforms: ReadonlyMap<string, pulumi.ResourceTransform>, token: string): pulumi.ResourceTransform {
  const transform = transforms.get(token);
  if (transform === undefined) throw new Error(`Pulumi's mocks know no transform ${token}: pin a release that does`);
  return transform;
}

function properties(object: Struct): Properties {
  return unwrapSecrets(pulumi.runtime.deserializeProperties(object)) as Properties;
}

/** Secrets arrive wrapped; what reads the declarations wants their values. */
function unwrapSecrets(value: unknown): unknown {
  if (pulumi.runtime.isRpcSecret(value)) return unwrapSecrets(pulumi.runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}
