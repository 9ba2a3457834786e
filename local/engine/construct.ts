import * as grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import services from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import monitor from "@pulumi/pulumi/proto/resource_pb.js";
import { COMPONENTS } from "../awsx/components.ts";
import {
  BELOW_COMPONENT,
  BELOW_STACK,
  type Child,
  type Reference,
  references,
  resolve,
  UNKNOWN,
} from "../awsx/composition.ts";
import type { Properties } from "../outputs/computed.ts";
import type { Place } from "../place.ts";
import { fromWire, LONGEST_MESSAGE, resourceReference, toWire } from "./protocol.ts";
import { SDK_VERSIONS } from "./sdk-versions.ts";

type Request = InstanceType<typeof messages.ConstructRequest>;
type Registration = InstanceType<typeof monitor.RegisterResourceRequest>;

/** A child that the engine knows. */
interface Registered {
  readonly urn: string;
  /** Unknown in a preview of what is to be made. */
  readonly id: string;
  readonly properties: Properties;
}

/** Longest time in milliseconds for one call to the engine; a child that AWS takes long to make is made within it. */
const ENGINE_ANSWERS_WITHIN_MS = 120_000;

/**
 * Makes a component of awsx as its provider does: registers it and its children with the engine that asks.
 *
 * @throws Error for a component that local/awsx does not describe, and whatever the engine answers
 */
export async function constructComponent(
  request: Request,
  place: Place,
): Promise<InstanceType<typeof messages.ConstructResponse>> {
  const type = request.getType();
  const compose = COMPONENTS[type];
  if (compose === undefined)
    throw new Error(`${type} is not described: add it to COMPONENTS in local/awsx/components.ts`);
  const { children, outputs } = compose(request.getName(), fromWire(request.getInputs()), place);
  const engine = new Engine(request.getMonitorendpoint());
  try {
    const component = await engine.register(componentRegistration(request));
    const registered = new Map<string, Registered>();
    for (const child of children) {
      registered.set(child.key, await engine.register(childRegistration(child, component, registered, request)));
    }
    const state = toWire(settle(outputs, registered));
    await engine.registerOutputs(component.urn, state);
    const response = new messages.ConstructResponse().setUrn(component.urn).setState(state);
    for (const [output, value] of Object.entries(outputs)) {
      const urns = urnsOf(value, registered);
      response
        .getStatedependenciesMap()
        .set(output, new messages.ConstructResponse.PropertyDependencies().setUrnsList(urns));
    }
    return response;
  } finally {
    engine.close();
  }
}

function componentRegistration(request: Request): Registration {
  const registration = new monitor.RegisterResourceRequest()
    .setType(request.getType())
    .setName(request.getName())
    .setParent(request.getParent())
    .setCustom(false)
    .setObject(toWire({}))
    .setDependenciesList(request.getDependenciesList())
    .setAliasesList(request.getAliasesList());
  if (request.getProtect() !== undefined) registration.setProtect(request.getProtect() === true);
  return asSdksDo(registration);
}

function childRegistration(
  child: Child,
  component: Registered,
  registered: ReadonlyMap<string, Registered>,
  request: Request,
): Registration {
  const needs = [...child.dependsOn.map((key) => siblingOf(registered, key).urn), ...inputDependencies(request)];
  const registration = new monitor.RegisterResourceRequest()
    .setType(child.type)
    .setName(child.name)
    .setCustom(true)
    .setParent(parentOf(child, component, registered))
    .setObject(toWire(settle(child.inputs, registered)))
    .setDependenciesList([...new Set([...needs, ...urnsOf(child.inputs, registered)])])
    .setVersion(SDK_VERSIONS[child.type.split(":")[0] ?? ""] ?? "");
  for (const [property, value] of Object.entries(child.inputs)) {
    const urns = [...new Set([...inputDependencies(request), ...urnsOf(value, registered)])];
    registration
      .getPropertydependenciesMap()
      .set(property, new monitor.RegisterResourceRequest.PropertyDependencies().setUrnsList(urns));
  }
  return asSdksDo(registration);
}

function asSdksDo(registration: Registration): Registration {
  return registration
    .setAcceptsecrets(true)
    .setAcceptresources(true)
    .setSupportspartialvalues(true)
    .setAliasspecs(true);
}

/** The engine hangs a resource that names no parent below the stack. */
function parentOf({ parent }: Child, component: Registered, registered: ReadonlyMap<string, Registered>): string {
  if (parent === BELOW_COMPONENT) return component.urn;
  return parent === BELOW_STACK ? "" : siblingOf(registered, parent).urn;
}

/** What the component's own inputs were computed from, and so what the children's are. */
function inputDependencies(request: Request): readonly string[] {
  return [...request.getInputdependenciesMap().entries()].flatMap(([, from]) => from.getUrnsList());
}

function settle(value: Properties, registered: ReadonlyMap<string, Registered>): Properties {
  return resolve(value, (reference) => valueIn(reference, siblingOf(registered, reference.child))) as Properties;
}

function valueIn({ property, prefix }: Reference, { urn, id, properties }: Registered): unknown {
  if (property === undefined) return resourceReference(urn, id);
  const value = property === "id" ? id : (properties[property] ?? UNKNOWN);
  return prefix === "" || value === UNKNOWN ? value : `${prefix}${String(value)}`;
}

function urnsOf(value: unknown, registered: ReadonlyMap<string, Registered>): string[] {
  return [...new Set(references(value).map(({ child }) => siblingOf(registered, child).urn))];
}

function siblingOf(registered: ReadonlyMap<string, Registered>, key: string): Registered {
  const found = registered.get(key);
  if (found === undefined) throw new Error(`nothing before is called ${key}: list children in their order`);
  return found;
}

/** The engine that asks, as a program talks to it. */
class Engine {
  readonly #client: InstanceType<typeof services.ResourceMonitorClient>;

  constructor(endpoint: string) {
    this.#client = new services.ResourceMonitorClient(endpoint, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": LONGEST_MESSAGE,
      "grpc.max_send_message_length": LONGEST_MESSAGE,
    });
  }

  register(registration: Registration): Promise<Registered> {
    return new Promise((resolve, reject) => {
      this.#client.registerResource(registration, new grpc.Metadata(), inTime(), (error, response) => {
        if (error !== null) return reject(error);
        const id = response.getId() === "" ? UNKNOWN : response.getId();
        resolve({ urn: response.getUrn(), id, properties: fromWire(response.getObject()) });
      });
    });
  }

  registerOutputs(urn: string, outputs: ReturnType<typeof toWire>): Promise<void> {
    const request = new monitor.RegisterResourceOutputsRequest().setUrn(urn).setOutputs(outputs);
    return new Promise((resolve, reject) => {
      this.#client.registerResourceOutputs(request, new grpc.Metadata(), inTime(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

function inTime(): grpc.CallOptions {
  return { deadline: Date.now() + ENGINE_ANSWERS_WITHIN_MS };
}
