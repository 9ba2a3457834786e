import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { defaultCredentials, explainCredentials, refreshSparingly } from "../../../app/postgres/credentials.ts";
import { AcquireError, errorCode, PoolError, systemClock } from "../../../app/postgres/index.ts";
import { tokenSource } from "../../../app/postgres/token.ts";
import { withCredentialsEndpoint } from "./credentials-endpoint.ts";
import { poolFixture } from "./pool-fixture.ts";

const NEVER = new AbortController().signal;

describe("Why there are no AWS credentials", () => {
  let status: number;
  let requests: IncomingMessage[];
  let uri: string;
  let close: () => Promise<void>;

  beforeEach(async () => {
    requests = [];
    const server = createServer((request, response) => {
      requests.push(request);
      // What a client might be tempted to guess from says something else.
      if (status > 0) response.writeHead(status).end("Rate exceeded, expired, not found");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    uri = `http://127.0.0.1:${address.port}/credentials`;
    close = async () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterEach(() => close());

  for (const [given, code, text] of [
    [429, "CREDENTIALS_THROTTLED", /status 429: it is asked too often/],
    [500, "CREDENTIALS_UNAVAILABLE", /status 500: it has failed/],
    [503, "CREDENTIALS_UNAVAILABLE", /status 503: it has failed/],
    [400, "NO_CREDENTIALS", /status 400: it has no credentials for this task, or AWS_CONTAINER_AUTHORIZATION_TOKEN/],
    [403, "NO_CREDENTIALS", /status 403/],
    [404, "NO_CREDENTIALS", /status 404/],
    [200, "CREDENTIALS_UNAVAILABLE", /asked again, their endpoint answers with status 200/],
  ] as const) {
    it(`is told by the endpoint's status ${given}: ${code}`, async () => {
      status = given;
      const problem = await explainCredentials(NEVER, { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri });
      assert.equal(problem?.code, code);
      assert.match(problem.message, text);
      assert.equal(requests.length, 1);
    });
  }

  it("is not asked of a host that the SDK would not show the authorization to", async () => {
    const elsewhere = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://credentials.example/",
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "t",
    };
    const problem = await explainCredentials(NEVER, elsewhere);
    assert.equal(problem?.code, "CREDENTIALS_UNAVAILABLE");
    assert.match(problem.message, /asks no such host/);
  });

  it("is told by an endpoint that does not listen", async () => {
    await close();
    const problem = await explainCredentials(NEVER, { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri });
    assert.equal(problem?.code, "CREDENTIALS_UNAVAILABLE");
    assert.match(problem.message, /cannot be asked \(ECONNREFUSED\)/);
  });

  it("stays unknown where the environment names no endpoint", async () => {
    assert.equal(await explainCredentials(NEVER, { AWS_PROFILE: "somebody" }), undefined);
  });

  it("is asked with the authorization that the environment holds, the file's before the text's", async () => {
    status = 404;
    const folder = await mkdtemp(path.join(tmpdir(), "credentials-"));
    const file = path.join(folder, "token");
    await writeFile(file, "from-the-file\n");
    const environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: "from-the-text" };
    await explainCredentials(NEVER, environment);
    await explainCredentials(NEVER, { ...environment, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file });
    assert.deepEqual(
      requests.map(({ headers }) => headers.authorization),
      ["from-the-text", "from-the-file"],
    );
    await rm(folder, { recursive: true });
  });

  it("is given up with the reason of whoever waits for it", async () => {
    status = 0;
    const reason = new PoolError("MINT_TIMEOUT", "late");
    const waiting = new AbortController();
    const asked = explainCredentials(waiting.signal, { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri });
    while (requests.length === 0) await new Promise(setImmediate);
    waiting.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
  });

  describe("in the pool", () => {
    const fixture = poolFixture();
    /** Fails as the SDK's default chain does, which takes seconds for it. */
    const chain = Object.assign(new Error("Could not load credentials from any providers"), {
      name: "CredentialsProviderError",
    });

    /** Tokens of a signer that fails so, where its credentials are those of the default chain. */
    const tokens = (mints: () => Promise<string>) =>
      tokenSource({ getAuthToken: mints }, 5_000, systemClock, { minted() {}, mintFailed() {} }, (signal) =>
        explainCredentials(signal, { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri }),
      );

    it("is the code of the failure, whose root is the SDK's own error", async () => {
      status = 429;
      await assert.rejects(
        tokens(() => Promise.reject(chain)).mint(NEVER),
        (error) => error instanceof PoolError && error.code === "CREDENTIALS_THROTTLED" && error.cause === chain,
      );
      status = 404;
      await assert.rejects(
        tokens(() => Promise.reject(chain)).mint(NEVER),
        (error) => error instanceof PoolError && error.code === "NO_CREDENTIALS" && error.cause === chain,
      );
      assert.equal(requests.length, 2);
    });

    it("is not looked for where somebody else's signer fails: its credentials may come from anywhere", async () => {
      status = 404;
      await withEnvironment(uri, async () => {
        const pool = fixture.createPool({ signer: { getAuthToken: () => Promise.reject(chain) } });
        await assert.rejects(
          pool.connect(),
          (error) => error instanceof AcquireError && errorCode(error.cause) === "MINT_FAILED",
        );
      });
      assert.equal(requests.length, 0);
      assert.equal(fixture.front.accepted, 0);
    });

    for (const token of [undefined, null, "", 7, {}, Buffer.from("token")]) {
      it(`is not guessed from ${JSON.stringify(token) ?? "nothing"} for a token, which is sent to nobody`, async () => {
        const pool = fixture.createPool({ signer: { getAuthToken: async () => token as string } });
        await assert.rejects(
          pool.connect(),
          (error) => error instanceof AcquireError && errorCode(error.cause) === "MINT_FAILED",
        );
        assert.equal(fixture.front.accepted, 0);
      });
    }

    it("is an error of STS by its name, and never by its text", async () => {
      const expired = Object.assign(new Error("nothing to guess from"), { name: "ExpiredTokenException" });
      const guess = new Error("The security token included in the request is expired");
      for (const [failure, reason] of [
        [expired, "CREDENTIALS_EXPIRED"],
        [guess, "MINT_FAILED"],
      ] as const) {
        const pool = fixture.createPool({
          connectRetryMillis: 0,
          signer: { getAuthToken: () => Promise.reject(failure) },
        });
        await assert.rejects(pool.connect(), (error) => error instanceof AcquireError && error.reason === reason);
      }
    });
  });
});

describe("Credentials of the SDK's default chain", () => {
  it("that have expired by this machine's clock are refused with the hint to check the clock", async () => {
    await withCredentialsEndpoint(async (fetches) => {
      const credentials = defaultCredentials(() => Date.now() + 7 * 3_600_000);
      await assert.rejects(credentials(), (error) => {
        assert.ok(error instanceof PoolError);
        assert.equal(error.code, "CREDENTIALS_EXPIRED");
        assert.match(error.message, /expired 3[56]\d\d s ago by this machine's clock.*Check the clock/);
        assert.doesNotMatch(error.message, /ASIA|secret|token=/i);
        return true;
      });
      assert.equal(fetches(), 1);
    });
  });

  it("that live are fetched once, however often they are asked for", async () => {
    await withCredentialsEndpoint(async (fetches) => {
      const credentials = defaultCredentials();
      const all = await Promise.all(Array.from({ length: 20 }, () => credentials()));
      await credentials();
      assert.deepEqual([...new Set(all.map(({ accessKeyId }) => accessKeyId))], ["ASIAEXAMPLE"]);
      assert.equal(fetches(), 1);
    });
  });
});

describe("A refresh of credentials that still live", () => {
  const refresh = { forceRefresh: true } as const;

  /** A source that tells how often it was asked, and fails from a certain time on. What it gives expires ten minutes after time 0. */
  function source(answers = Number.POSITIVE_INFINITY) {
    const asked = { times: 0, forced: 0 };
    const provider = refreshSparingly(
      async (properties) => {
        asked.times += 1;
        if (properties?.forceRefresh) asked.forced += 1;
        if (asked.times > answers) throw new Error(`refused the ${asked.times}. time`);
        return { accessKeyId: `key ${asked.times}`, secretAccessKey: "secret", expiration: new Date(600_000) };
      },
      () => clock.at,
    );
    const clock = { at: 0 };
    return { asked, provider, clock };
  }

  it("is one for all who ask within half a minute, and another after that", async () => {
    const { asked, provider, clock } = source();
    const [first, second] = await Promise.all([provider(refresh), provider(refresh)]);
    clock.at = 29_999;
    assert.deepEqual([second, await provider(refresh)], [first, first]);
    assert.equal(asked.forced, 1);
    clock.at = 30_000;
    assert.notDeepEqual(await provider(refresh), first);
    assert.equal(asked.forced, 2);
  });

  it("that failed has failed for all of them", async () => {
    const { asked, provider } = source(0);
    await assert.rejects(provider(refresh), /refused the 1\. time/);
    await assert.rejects(provider(refresh), /refused the 1\. time/);
    assert.equal(asked.forced, 1);
  });

  it("does not keep anyone from the source who asks for what there is", async () => {
    const { asked, provider } = source();
    await provider(refresh);
    await provider({});
    await provider();
    assert.deepEqual(asked, { times: 3, forced: 1 });
  });

  it("is one for each who asks once they have less than five minutes to live", async () => {
    const { asked, provider, clock } = source();
    await provider();
    clock.at = 300_000;
    await Promise.all([provider(refresh), provider(refresh)]);
    assert.equal(asked.forced, 1);
    clock.at = 300_001;
    await provider(refresh);
    await provider(refresh);
    assert.equal(asked.forced, 3);
  });

  it("is not put off by a clock that is set back", async () => {
    const { asked, provider, clock } = source();
    await provider(refresh);
    clock.at = -3_600_000;
    await provider(refresh);
    assert.equal(asked.forced, 2);
  });
});

async function withEnvironment(uri: string, work: () => Promise<void>): Promise<void> {
  const name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  const saved = process.env[name];
  process.env[name] = uri;
  try {
    await work();
  } finally {
    if (saved === undefined) delete process.env[name];
    else process.env[name] = saved;
  }
}
