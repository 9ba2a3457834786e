import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "mocha";
import type { DeclaredLoadBalancer } from "../../local/declared.ts";
import { type LoadBalancer, startLoadBalancer } from "../../local/load-balancer.ts";

export const declared: DeclaredLoadBalancer = {
  idleTimeoutSeconds: 10,
  healthCheck: {
    path: "/livez",
    intervalSeconds: 0.02,
    timeoutSeconds: 0.5,
    healthyThreshold: 3,
    unhealthyThreshold: 2,
    status: 200,
  },
};

/** A target whose health and answers a test decides. */
export interface Target {
  readonly port: number;
  readonly server: http.Server;
  /** Status of each health check to come; the last one stays. */
  health: number[];
  checks: number;
  answer: http.RequestListener;
  close(): Promise<void>;
}

export async function startTarget(
  answer: http.RequestListener = (_, response) => response.end("hello"),
): Promise<Target> {
  const server = http.createServer((request, response) => {
    if (request.url !== "/livez") return target.answer(request, response);
    target.checks++;
    response.writeHead((target.health.length > 1 ? target.health.shift() : target.health[0]) ?? 200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const target: Target = {
    port: (server.address() as AddressInfo).port,
    server,
    health: [200],
    checks: 0,
    answer,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return target;
}

/** Starts load balancers with healthy targets for the tests of a suite; closes them, and whatever is put into `open`, after each test. */
export function balancers(): {
  readonly open: { close(): Promise<void> }[];
  start(
    answer?: http.RequestListener,
    changes?: Partial<DeclaredLoadBalancer>,
  ): Promise<{ target: Target; balancer: LoadBalancer }>;
} {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((part) => part.close()));
  });
  async function start(
    answer?: http.RequestListener,
    changes: Partial<DeclaredLoadBalancer> = {},
  ): Promise<{ target: Target; balancer: LoadBalancer }> {
    const target = await startTarget(answer);
    const balancer = await startLoadBalancer({ declared: { ...declared, ...changes }, targetPort: target.port });
    open.push(balancer, target);
    await balancer.healthy(5_000);
    return { target, balancer };
  }
  return { open, start };
}
