import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, describe, it } from "mocha";
import { nestingMistakes, type Timeouts } from "../../infra/timeouts.ts";
import type { Properties } from "../../local/outputs.ts";
import type { Program } from "../../local/program.ts";
import { containerOf, containersOf, environmentOf, only, programOf, STACKS } from "./declared-program.ts";

/** Every time limit as AWS and the containers are told it, in seconds. */
interface Told extends Timeouts {
  readonly acquire: number;
  readonly deregistrationDelay: number;
  readonly healthCheckGrace: number;
  readonly migrationStart: number;
  readonly migrationStop: number;
}

function toldBy(program: Program): Told {
  const service = containerOf(program, "service");
  const migrate = containerOf(program, "migrate");
  const environment = environmentOf(service);
  const seconds = (name: string) => {
    assert.match(environment[name] ?? "", /^\d+$/, name);
    return Number(environment[name]);
  };
  const pool = only(program, "ProxyDefaultTargetGroup").inputs.connectionPoolConfig as Properties;
  return {
    connectRetry: seconds("DB_CONNECT_RETRY_SECONDS"),
    acquire: seconds("DB_ACQUIRE_SECONDS"),
    borrow: Number(pool.connectionBorrowTimeout),
    requestDeadline: seconds("REQUEST_DEADLINE_SECONDS"),
    loadBalancerIdle: Number(only(program, "LoadBalancer").inputs.idleTimeout),
    keepAlive: seconds("KEEP_ALIVE_SECONDS"),
    connectionLifetime: seconds("DB_CONNECTION_LIFETIME_SECONDS"),
    proxyIdleClient: Number(only(program, "Proxy").inputs.idleClientTimeout),
    drain: seconds("DRAIN_SECONDS"),
    deregistrationDelay: Number(only(program, "TargetGroup").inputs.deregistrationDelay),
    stop: Number(service.stopTimeout),
    migrationDeadline: seconds("MIGRATION_DEADLINE_SECONDS"),
    migrationStart: Number(migrate.startTimeout),
    migrationStop: Number(migrate.stopTimeout),
    healthCheckGrace: Number(only(program, "Service").inputs.healthCheckGracePeriodSeconds),
  };
}

/** Time-outs that migrations give the application's role, in seconds, by the setting's name. */
function roleTimeouts(): ReadonlyMap<string, number> {
  const folder = new URL("../../app/migrations/", import.meta.url);
  const texts = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
  const found = texts.flatMap((text) => [...text.matchAll(/ALTER ROLE \S+ SET (\w+) = '(\d+)(ms|s|min)'/g)]);
  const factor: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60 };
  return new Map(
    found.map(([, name = "", amount, unit = ""]) => [name, Number(amount) * (factor[unit] ?? Number.NaN)]),
  );
}

for (const stack of STACKS) {
  describe(`The time-outs that stack ${stack} declares`, () => {
    let t: Told;
    let program: Program;
    before(async () => {
      program = await programOf(stack);
      t = toldBy(program);
    });

    it("are those of the configuration, in seconds", () => {
      assert.deepEqual(t, {
        connectRetry: 60,
        acquire: 90,
        borrow: 30,
        requestDeadline: 100,
        loadBalancerIdle: 120,
        keepAlive: 130,
        connectionLifetime: 1500,
        proxyIdleClient: 1800,
        drain: 110,
        deregistrationDelay: 110,
        stop: 120,
        migrationDeadline: 110,
        migrationStart: 120,
        migrationStop: 120,
        healthCheckGrace: 200,
      });
    });

    it("nest: each wait ends before the one that waits for it", () => {
      const chain = (...links: readonly (readonly [string, number])[]) => {
        for (const [index, [name, seconds]] of links.entries()) {
          const [outer, limit] = links[index + 1] ?? ["", Number.POSITIVE_INFINITY];
          assert.ok(seconds < limit, `${name} (${seconds} s) is not below ${outer} (${limit} s)`);
        }
      };
      chain(
        ["retrying connections and borrowing", t.connectRetry + t.borrow],
        ["request deadline", t.requestDeadline],
        ["load balancer's idle time-out", t.loadBalancerIdle],
        ["server's keep-alive", t.keepAlive],
      );
      chain(["acquiring a connection", t.acquire], ["request deadline", t.requestDeadline]);
      chain(["connection lifetime", t.connectionLifetime], ["proxy's idle client time-out", t.proxyIdleClient]);
      chain(
        ["request deadline", t.requestDeadline],
        ["drain", t.drain],
        ["stopTimeout", t.stop],
        ["Fargate's limit", 121],
      );
      chain(["migration deadline", t.migrationDeadline], ["startTimeout", t.migrationStart], ["Fargate's limit", 121]);
      chain(["connection lifetime", t.connectionLifetime], ["RDS Proxy's 24 h", 86_400]);
      assert.ok(t.deregistrationDelay >= t.requestDeadline, "the load balancer drops a task before its requests end");
      assert.ok(t.healthCheckGrace >= t.migrationDeadline + t.connectRetry, "a task is judged before it can listen");
    });

    it("give both containers the same environment", () => {
      const [migrate, service] = containersOf(program);
      assert.ok(migrate && service);
      assert.deepEqual(environmentOf(migrate), environmentOf(service));
    });

    it("outlast those that the migrations give the role, so that a request gets its own answer", () => {
      const role = roleTimeouts();
      assert.deepEqual([...role.keys()].sort(), [
        "idle_in_transaction_session_timeout",
        "lock_timeout",
        "statement_timeout",
      ]);
      for (const [name, seconds] of role)
        assert.ok(seconds > 0 && seconds < t.requestDeadline, `${name}: ${seconds} s`);
      const lock = role.get("lock_timeout") ?? Number.NaN;
      assert.ok(lock < (role.get("statement_timeout") ?? Number.NaN), "a wait for a lock is told as one");
    });
  });
}

describe("Time-outs that are configured", () => {
  it("reach the proxy, the load balancer and the containers", async () => {
    const program = await programOf("staging", {
      connectRetrySeconds: "7",
      borrowTimeoutSeconds: "3",
      requestDeadlineSeconds: "21",
      loadBalancerIdleSeconds: "22",
      keepAliveSeconds: "23",
      connectionLifetimeSeconds: "61",
      proxyIdleClientSeconds: "62",
      drainSeconds: "24",
      stopTimeoutSeconds: "25",
      migrationDeadlineSeconds: "26",
    });
    assert.deepEqual(toldBy(program), {
      connectRetry: 7,
      acquire: 10,
      borrow: 3,
      requestDeadline: 21,
      loadBalancerIdle: 22,
      keepAlive: 23,
      connectionLifetime: 61,
      proxyIdleClient: 62,
      drain: 24,
      deregistrationDelay: 24,
      stop: 25,
      migrationDeadline: 26,
      migrationStart: 120,
      migrationStop: 25,
      healthCheckGrace: 36,
    });
  });
});

const NESTED: Timeouts = {
  connectRetry: 60,
  borrow: 30,
  requestDeadline: 100,
  loadBalancerIdle: 120,
  keepAlive: 130,
  connectionLifetime: 1_500,
  proxyIdleClient: 1_800,
  drain: 110,
  stop: 120,
  migrationDeadline: 110,
};

const BROKEN: readonly (readonly [says: string, change: Partial<Timeouts>, expected: RegExp])[] = [
  [
    "retries that leave no time for borrowing",
    { connectRetry: 70 },
    /^connectRetrySeconds \+ borrowTimeoutSeconds \(100 s\) must be below requestDeadlineSeconds \(100 s\): /,
  ],
  [
    "a borrow time-out that outlasts the request",
    { borrow: 41 },
    /^connectRetrySeconds \+ borrowTimeoutSeconds \(101 s\) must be below requestDeadlineSeconds \(100 s\): /,
  ],
  [
    "a load balancer that gives up first",
    { loadBalancerIdle: 100 },
    /^requestDeadlineSeconds \(100 s\) must be below loadBalancerIdleSeconds \(100 s\): .*504/,
  ],
  [
    "a server that closes first",
    { keepAlive: 120 },
    /^loadBalancerIdleSeconds \(120 s\) must be below keepAliveSeconds \(120 s\): .*502/,
  ],
  [
    "a connection that outlives the proxy's patience",
    { connectionLifetime: 1_800 },
    /^connectionLifetimeSeconds \(1800 s\) must be below proxyIdleClientSeconds \(1800 s\): /,
  ],
  [
    "a drain that cuts requests off",
    { drain: 100 },
    /^requestDeadlineSeconds \(100 s\) must be below drainSeconds \(100 s\): /,
  ],
  ["a drain that ECS cuts off", { stop: 110 }, /^drainSeconds \(110 s\) must be below stopTimeoutSeconds \(110 s\): /],
  [
    "a migration that ECS cuts off",
    { migrationDeadline: 120 },
    /^migrationDeadlineSeconds \(120 s\) must be below the 120 s that Fargate gives a dependency to start \(120 s\): /,
  ],
];

describe("The nesting of time-outs", () => {
  it("finds nothing wrong when they nest, even by one second", () => {
    assert.deepEqual(nestingMistakes(NESTED), []);
    assert.deepEqual(
      nestingMistakes({ ...NESTED, connectRetry: 69, loadBalancerIdle: 101, keepAlive: 102, drain: 119, stop: 120 }),
      [],
    );
  });

  for (const [says, change, expected] of BROKEN) {
    it(`refuses ${says}, in one sentence with both values and the reason`, () => {
      const mistakes = nestingMistakes({ ...NESTED, ...change });
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0] ?? "", expected);
    });
  }

  it("tells all that is wrong at once", () => {
    const all = nestingMistakes({ ...NESTED, requestDeadline: 500, connectionLifetime: 2_000, migrationDeadline: 121 });
    assert.equal(all.length, 4);
  });
});
