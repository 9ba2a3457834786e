import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { ANSWERS } from "../outputs.ts";
import { accountOf, type Place, placeOf } from "../place.ts";
import { type Account, refuseOtherAccount } from "./account.ts";
import { constructComponent } from "./construct.ts";
import { fromWire, isSame, LONGEST_MESSAGE, toWire, withoutSecrecy } from "./protocol.ts";
import { checked, create, difference, foreseen, read, remove, update } from "./resource-operations.ts";

type Handlers = ConstructorParameters<typeof Object>[0] & Record<string, grpc.UntypedHandleCall>;

/** A provider that the engine is attached to instead of the real one. */
export interface StandIn {
  /** Name of the package and port, as PULUMI_DEBUG_PROVIDERS wants it. */
  readonly attachment: string;
  /** Ends it at once, whoever is still connected. */
  stop(): void;
}

/**
 * Stands in for the provider of a package: computes outputs from the table that the mocks use too, and keeps the account.
 * Listens on the loopback interface only.
 *
 * @param version which the engine is told; the one of the SDK
 */
export async function startProvider(packageName: string, version: string, account: Account): Promise<StandIn> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": LONGEST_MESSAGE,
    "grpc.max_send_message_length": LONGEST_MESSAGE,
  });
  const provider = new Provider(version, account);
  server.addService(services.ResourceProviderService, provider.handlers());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { attachment: `${packageName}:${port}`, stop: () => server.forceShutdown() };
}

/** One package's provider, as the engine talks to it. */
class Provider {
  readonly #version: string;
  readonly #account: Account;
  #place: Place = placeOf("", accountOf(undefined));

  constructor(version: string, account: Account) {
    this.#version = version;
    this.#account = account;
  }

  /** Every method of the protocol that the engine calls for the program; the others answer that they are not implemented. */
  handlers(): Handlers {
    const own: Handlers = {
      handshake: unary(() => {
        const response = new messages.ProviderHandshakeResponse();
        response.setAcceptSecrets(true);
        response.setAcceptResources(true);
        return response;
      }),
      attach: unary(() => new empty.Empty()),
      cancel: unary(() => new empty.Empty()),
      getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(this.#version)),
      getSchema: unary(() => new messages.GetSchemaResponse().setSchema("{}")),
      checkConfig: unary((request: InstanceType<typeof messages.CheckRequest>) =>
        new messages.CheckResponse().setInputs(request.getNews()),
      ),
      diffConfig: unary((request: InstanceType<typeof messages.DiffRequest>) =>
        differs(!isSame(fromWire(request.getOldInputs()), fromWire(request.getNews()))),
      ),
      configure: unary((request: InstanceType<typeof messages.ConfigureRequest>) => this.#configure(request)),
      invoke: unary((request: InstanceType<typeof messages.InvokeRequest>) => this.#invoke(request)),
      construct: unary((request: InstanceType<typeof messages.ConstructRequest>) =>
        constructComponent(request, this.#placeIn(request.getConfigMap(), "aws:")),
      ),
      ...this.#resourceHandlers(),
    };
    const methods = Object.keys(services.ResourceProviderService);
    return Object.fromEntries(methods.map((method) => [method, own[method] ?? unimplemented(method)]));
  }

  #resourceHandlers(): Handlers {
    const account = this.#account;
    return {
      check: unary((request: InstanceType<typeof messages.CheckRequest>) => {
        const old = request.getOlds();
        const inputs = checked(
          request.getUrn(),
          fromWire(request.getNews()),
          old && fromWire(old),
          request.getRandomseed_asU8(),
        );
        return new messages.CheckResponse().setInputs(toWire(inputs));
      }),
      diff: unary((request: InstanceType<typeof messages.DiffRequest>) => {
        const found = difference(request.getUrn(), fromWire(request.getOldInputs()), fromWire(request.getNews()));
        return differs(found.changed.length > 0)
          .setDiffsList([...found.changed])
          .setReplacesList([...found.replacing])
          .setDeletebeforereplace(found.deleteBeforeReplace);
      }),
      create: unary(async (request: InstanceType<typeof messages.CreateRequest>) => {
        const [urn, inputs] = [request.getUrn(), fromWire(request.getProperties())];
        const response = new messages.CreateResponse();
        if (request.getPreview()) return response.setProperties(toWire(foreseen(urn, inputs, this.#place, account)));
        const { id, properties } = await create(urn, inputs, this.#place, account);
        return response.setId(id).setProperties(toWire(properties));
      }),
      read: unary(async (request: InstanceType<typeof messages.ReadRequest>) => {
        const { id, properties } = await read(
          request.getUrn(),
          request.getId(),
          fromWire(request.getProperties()),
          account,
        );
        return new messages.ReadResponse().setId(id).setProperties(toWire(properties)).setInputs(request.getInputs());
      }),
      update: unary(async (request: InstanceType<typeof messages.UpdateRequest>) => {
        const [standing, inputs] = [fromWire(request.getOlds()), fromWire(request.getNews())];
        const properties = request.getPreview()
          ? { ...standing, ...inputs }
          : await update(request.getUrn(), request.getId(), standing, inputs, account);
        return new messages.UpdateResponse().setProperties(toWire(properties));
      }),
      delete: unary(async (request: InstanceType<typeof messages.DeleteRequest>) => {
        await remove(request.getUrn(), request.getId(), fromWire(request.getProperties()), account);
        return new empty.Empty();
      }),
    };
  }

  #configure(request: InstanceType<typeof messages.ConfigureRequest>): InstanceType<typeof messages.ConfigureResponse> {
    const variables = request.getVariablesMap();
    // The other packages are configured by nothing that says where they are.
    if (variables.has("aws:config:region")) {
      this.#place = this.#placeIn(variables, "aws:config:");
      const allowed = JSON.parse(variables.get("aws:config:allowedAccountIds") ?? "[]") as readonly string[];
      refuseOtherAccount(this.#place, allowed);
    }
    const response = new messages.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    response.setAcceptresources(true);
    return response;
  }

  #placeIn(configuration: { get(key: string): string | undefined }, prefix: string): Place {
    const allowed = configuration.get(`${prefix}allowedAccountIds`);
    return placeOf(configuration.get(`${prefix}region`) ?? "", this.#account.credentialsOf ?? accountOf(allowed));
  }

  #invoke(request: InstanceType<typeof messages.InvokeRequest>): InstanceType<typeof messages.InvokeResponse> {
    const token = request.getTok();
    const answer = ANSWERS[token];
    if (answer === undefined)
      throw new Error(`no answer to the function ${token}: add it to ANSWERS in local/outputs.ts`);
    const given = withoutSecrecy(fromWire(request.getArgs())) as Record<string, unknown>;
    return new messages.InvokeResponse().setReturn(toWire(answer(given, this.#place)));
  }
}

function differs(is: boolean): InstanceType<typeof messages.DiffResponse> {
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  return new messages.DiffResponse().setChanges(is ? DIFF_SOME : DIFF_NONE);
}

/** A method with one request and one response. What `work` throws is what the engine shows. */
function unary<Request, Response>(
  work: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    new Promise<Response>((resolve) => resolve(work(call.request))).then(
      (response) => callback(null, response),
      (error: unknown) =>
        callback({ code: grpc.status.UNKNOWN, message: error instanceof Error ? error.message : String(error) }),
    );
  };
}

function unimplemented(method: string): grpc.UntypedHandleCall {
  const answer: grpc.handleUnaryCall<unknown, unknown> = (_call, callback) =>
    callback({ code: grpc.status.UNIMPLEMENTED, message: `the stand-in has no ${method}` });
  return answer;
}
