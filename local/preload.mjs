/**
 * Loaded into a container's process by NODE_OPTIONS, before the application. It does the two things that a container
 * runtime does to a network, so that the application needs no switch of its own: names resolve as a hosts file says, and the container's
 * port is published on another one. Plain JavaScript without dependencies, because it is read by a process that knows only the image.
 *
 * LOCAL_CONTAINER_NETWORK holds {"hosts": [["name:port", "address", port]], "containerPort": 8080, "reportTo": 3} and is removed from the
 * environment before the application can see it, unless it says "forChildren": true, so that `npm start` passes it on to what it starts.
 * NODE_OPTIONS stays: without that variable this file does nothing.
 */
import { writeSync } from "node:fs";
import net from "node:net";

const network = JSON.parse(process.env.LOCAL_CONTAINER_NETWORK ?? "{}");
if (!network.forChildren) delete process.env.LOCAL_CONTAINER_NETWORK;

if (network.hosts?.length > 0) dialAsHostsSay(network.hosts);
if (network.containerPort !== undefined) publish(network.containerPort, network.reportTo);

/**
 * Dials the address that stands behind a name. Only where the bytes go changes: a TLS socket keeps the name that it was given, so its
 * certificate is verified for that name.
 */
function dialAsHostsSay(hosts) {
  const addresses = new Map(hosts.map(([name, address, port]) => [name.toLowerCase(), { host: address, port }]));
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const [options, listener] = optionsOf(args);
    const address = options?.host && addresses.get(`${options.host}:${options.port}`.toLowerCase());
    if (!address) return connect.apply(this, args);
    return connect.call(this, { ...options, ...address }, ...(listener ? [listener] : []));
  };
}

/** A container's ports are its own: nothing that it opens is reachable from other machines, and the declared port gets a free one. */
function publish(containerPort, reportTo) {
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (...args) {
    const [options, listener] = optionsOf(args);
    if (!options || !("port" in options)) return listen.apply(this, args); // a path, a descriptor or a handle
    if (Number(options.port) === containerPort) {
      // The address reported is the one that was really bound: two environments can publish the same container port side by side.
      this.once("listening", () => {
        writeSync(reportTo, `${JSON.stringify({ containerPort, port: this.address().port })}\n`);
      });
    }
    return listen.call(this, { ...options, host: "127.0.0.1", port: 0 }, ...(listener ? [listener] : []));
  };
}

/** The arguments of connect() and listen() as [options, listener]; net.connect() passes them on as one array of just that shape. */
function optionsOf(args) {
  if (Array.isArray(args[0])) return args[0];
  const last = args.at(-1);
  const listener = typeof last === "function" ? last : undefined;
  const [first, second, third] = args;
  if (typeof first === "object" && first !== null) return [first, listener];
  if (typeof first === "string" && !/^\d+$/.test(first)) return [{ path: first }, listener];
  if (typeof first === "function" || first === undefined) return [{ port: 0 }, listener];
  const host = typeof second === "string" ? { host: second } : {};
  const backlog = [second, third].find((value) => typeof value === "number");
  return [{ port: Number(first), ...host, ...(backlog === undefined ? {} : { backlog }) }, listener];
}
