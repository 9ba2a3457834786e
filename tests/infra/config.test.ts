import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate, ProgramError } from "../../local/program.ts";
import { PROJECT } from "./declared-program.ts";

type Config = Readonly<Record<string, string>>;

/** Reads configuration and declares nothing, so that a hundred mistakes are judged quickly. */
const READING = new URL("fixtures/reading-configuration.ts", import.meta.url);

/** The lines of the error that a stack's configuration gives, without the heading. */
async function mistakesOf(stack: string, config: Config, entry: URL | undefined = READING): Promise<readonly string[]> {
  try {
    await evaluate(stack, { config, ...(entry ? { entry } : {}) });
  } catch (error) {
    assert.ok(error instanceof ProgramError);
    const [heading = "", ...lines] = error.message.split("\n");
    const count = lines.length === 1 ? "1 mistake" : `${lines.length} mistakes`;
    assert.equal(heading, `${count} in the configuration of stack ${stack}:`);
    return lines.map((line) => line.replace(new RegExp(`^ {2}- (?:${PROJECT}:)?`), ""));
  }
  return [];
}

const WHOLE = (from: number, to: number) => `a whole number from ${from} to ${to}`;
const SUBNETS = "a list without doubles, each item a subnet id such as subnet-0123456789abcdef0";
const RANGES = "a list without doubles, each item an IPv4 range such as 203.0.113.0/24";
const NAME = "lower-case letters, digits and _, a letter first, at most 63, not rds…";
const USER = "lower-case letters, digits and _, a letter first, at most 63; not rds…, pg_…, postgres or admin";

/** Values that are wrong by themselves. */
const WRONG: readonly (readonly [key: string, values: readonly string[], allowed: string])[] = [
  ["tier", ["", "Production", "dev"], "one of staging, production"],
  ["vpcCidr", ["", "10.0.0.0", "10.0.0.0/8", "10.0.0.0/24"], "an IPv4 range from /16 to /22"],
  ["vpcCidr", ["10.0.0.256/16", "1234.0.0.0/16"], "an IPv4 range such as 203.0.113.0/24"],
  ["availabilityZones", ["1", "4", "2.5", "two", ""], WHOLE(2, 3)],
  ["publicSubnetIds", ["subnet-0a", '["vpc-0a"]', '["subnet-0a", "subnet-0a"]', "{}", "[1]"], SUBNETS],
  ["publicSubnetIds", ['["subnet-0a"]'], "empty without vpcId, because a new VPC makes its own subnets"],
  ["isolatedSubnetIds", ["[null]", "[[]]"], SUBNETS],
  ["isolatedSubnetIds", ['["subnet-0a"]'], "empty without vpcId, because a new VPC makes its own subnets"],
  ["endpointSecurityGroupId", ["vpce-0a"], "a security group id such as sg-0123456789abcdef0, or empty"],
  ["endpointSecurityGroupId", ["sg-0a"], "empty without vpcId"],
  [
    "certificateArn",
    ["x", "arn:aws:iam::123456789012:server-certificate/x"],
    "the ARN of an ACM certificate, or empty",
  ],
  [
    "webAclArn",
    [
      "x",
      "arn:aws:wafv2:us-east-1:123456789012:global/webacl/x/11111111-2222-4333-8444-555555555555",
      "arn:aws:wafv2:eu-west-2:123456789012:regional/webacl/x",
    ],
    "the ARN of a regional web ACL of AWS WAF, or empty",
  ],
  [
    "domainName",
    [
      "projects",
      "Projects.example.com",
      "-a.example.com",
      "a..example.com",
      "example.com.",
      "a.1",
      `${"a".repeat(64)}.example.com`,
    ],
    "a domain name in lower case such as projects.example.com, or empty",
  ],
  [
    "hostedZoneId",
    ["z012", "/hostedzone/Z012", "Z"],
    "the id of a hosted zone such as Z0123456789ABCDEFGHIJ, or empty",
  ],
  [
    "ingressCidrs",
    ["0.0.0.0/0", '["10.0.0.0"]', '["10.0.0.0/33"]', '["::/0"]', '["10.0.0.0/8", "10.0.0.0/8"]'],
    RANGES,
  ],
  ["databaseName", ["", "1st", "Projects", "rdsadmin", "a-b", "a".repeat(64)], NAME],
  ["databaseUser", ["", "postgres", "admin", "rds_user", "pg_user", "Owner", "a;b"], USER],
  ["databaseInstanceClass", ["", "t4g.medium", "db.t4g", "db.T4G.medium"], "an instance class such as db.t4g.medium"],
  ["databaseStorageGiB", ["19", "65537", "1e2"], WHOLE(20, 65_536)],
  ["maxConnections", ["19", "5001", "0x64"], WHOLE(20, 5_000)],
  ["multiAz", ["", "yes", "True", "1"], "true or false"],
  ["deletionProtection", ["no"], "true or false"],
  ["backupRetentionDays", ["0", "36", "-1"], WHOLE(1, 35)],
  ["proxyMaxConnectionsPercent", ["0", "71", "100"], WHOLE(1, 70)],
  [
    "imageDigest",
    ["latest", "sha256:", `sha256:${"A".repeat(64)}`, `repository@sha256:${"0".repeat(64)}`],
    "the digest of an image, sha256: and 64 hexadecimal digits, or empty",
  ],
  ["cpuArchitecture", ["", "arm64", "x86"], "one of ARM64, X86_64"],
  ["taskCpu", ["", "128", "8192", "NaN"], "one of 256, 512, 1024, 2048, 4096"],
  ["taskMemoryMiB", ["512", "5120", "1500"], "1024 to 4096 in steps of 1024 with taskCpu 512"],
  ["minTasks", ["0", "101", " 1"], WHOLE(1, 100)],
  ["maxTasks", ["0", "101", ""], WHOLE(1, 100)],
  ["targetCpuPercent", ["9", "91"], WHOLE(10, 90)],
  ["poolSize", ["0", "101"], WHOLE(1, 100)],
  ["poolOversubscription", ["0", "21"], WHOLE(1, 20)],
  [
    "logRetentionDays",
    ["0", "2", "364"],
    "one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653",
  ],
  ["alarmEmail", ["on-call", "on call@example.com", "@example.com"], "an e-mail address, or empty"],
  ["runbookUrl", ["", "docs/run book.md", "docs/#x"], "a path or URL of at most 200 characters, no space, no #"],
  [
    "permissionsBoundaryArn",
    ["boundary", "arn:aws:iam::123456789012:role/boundary", "arn:aws:iam::12345:policy/x", "arn:gcp:iam::aws:policy/x"],
    "the ARN of a managed policy such as arn:aws:iam::123456789012:policy/boundary, or empty",
  ],
  ["connectRetrySeconds", ["0", "601"], WHOLE(1, 600)],
  ["borrowTimeoutSeconds", ["0", "3601"], WHOLE(1, 3_600)],
  ["requestDeadlineSeconds", ["0", "3601"], WHOLE(1, 3_600)],
  ["loadBalancerIdleSeconds", ["0", "4001"], WHOLE(1, 4_000)],
  ["keepAliveSeconds", ["0", "4001"], WHOLE(1, 4_000)],
  ["connectionLifetimeSeconds", ["0", "86401"], WHOLE(1, 86_400)],
  ["proxyIdleClientSeconds", ["59", "28801"], WHOLE(60, 28_800)],
  ["drainSeconds", ["0", "121"], WHOLE(1, 120)],
  ["stopTimeoutSeconds", ["1", "121"], WHOLE(2, 120)],
  ["migrationDeadlineSeconds", ["0", "121"], WHOLE(1, 120)],
];

const CERTIFICATE = "arn:aws:acm:eu-west-2:123456789012:certificate/11111111-2222-4333-8444-555555555555";

const EXISTING = {
  vpcId: "vpc-0a",
  publicSubnetIds: '["subnet-0a", "subnet-0b"]',
  isolatedSubnetIds: '["subnet-1a", "subnet-1b"]',
};

/** Values that only others make wrong. */
const CONFLICTS: readonly (readonly [says: string, config: Config, mistakes: readonly string[]])[] = [
  ...["subnet-0a", "vpc-", "vpc-XYZ"].map(
    (vpcId) =>
      [
        `the VPC ${vpcId}, subnets given`,
        { ...EXISTING, vpcId },
        [`vpcId is "${vpcId}"; allowed: a VPC id such as vpc-0123456789abcdef0, or empty`],
      ] as const,
  ),
  [
    "an existing VPC without its subnets",
    { vpcId: "vpc-0a" },
    ["publicSubnetIds", "isolatedSubnetIds"].map(
      (key) => `${key} is "[]"; allowed: two or three subnets with vpcId, each in another zone`,
    ),
  ],
  [
    "an existing VPC with one isolated subnet",
    { ...EXISTING, isolatedSubnetIds: '["subnet-1a"]' },
    [`isolatedSubnetIds is "[\\"subnet-1a\\"]"; allowed: two or three subnets with vpcId, each in another zone`],
  ],
  [
    "a subnet that is public and isolated",
    { ...EXISTING, isolatedSubnetIds: '["subnet-0b", "subnet-1b"]' },
    [`isolatedSubnetIds is "[\\"subnet-0b\\"]"; allowed: subnets that are not public as well`],
  ],
  [
    "the world let in without a certificate",
    { ingressCidrs: '["0.0.0.0/0", "203.0.113.0/24"]' },
    [`ingressCidrs is "[\\"0.0.0.0/0\\"]"; allowed: ranges of /8 or longer prefixes, unless certificateArn is set`],
  ],
  [
    "the world in two halves",
    { ingressCidrs: '["0.0.0.0/1", "128.0.0.0/1"]' },
    [
      `ingressCidrs is "[\\"0.0.0.0/1\\",\\"128.0.0.0/1\\"]"; allowed: ranges of /8 or longer prefixes, unless certificateArn is set`,
    ],
  ],
  [
    "a domain name without its hosted zone",
    { domainName: "projects.example.com", certificateArn: CERTIFICATE },
    [`hostedZoneId is ""; allowed: the id of the hosted zone of domainName, with domainName`],
  ],
  [
    "a hosted zone without a domain name",
    { hostedZoneId: "Z0123456789ABCDEFGHIJ", certificateArn: CERTIFICATE },
    [`domainName is ""; allowed: a name in the hosted zone, with hostedZoneId`],
  ],
  [
    "a domain name without a certificate",
    { domainName: "projects.example.com", hostedZoneId: "Z0123456789ABCDEFGHIJ" },
    [`domainName is "projects.example.com"; allowed: empty without certificateArn, its certificate`],
  ],
  ["more tasks at least than at most", { minTasks: "3" }, [`maxTasks is "2"; allowed: at least minTasks (3)`]],
  [
    "memory that the CPU size does not take",
    { taskCpu: "4096", taskMemoryMiB: "4096" },
    [`taskMemoryMiB is "4096"; allowed: 8192 to 30720 in steps of 1024 with taskCpu 4096`],
  ],
  [
    "more connections than the proxy may open",
    { maxTasks: "7" },
    [
      "the service may open more connections than the proxy may: 7 tasks x 10 connections x 2 during a rolling deployment = 140, " +
        "but 60 % of 200 max_connections = 120, x 1 oversubscription = 120. Change maxTasks (7), poolSize (10) or maxConnections " +
        "(200); poolOversubscription trusts the proxy's multiplexing instead",
    ],
  ],
  [
    "time-outs that do not nest",
    { requestDeadlineSeconds: "90" },
    [
      "connectRetrySeconds + borrowTimeoutSeconds (90 s) must be below requestDeadlineSeconds (90 s): a request that waits for a " +
        "connection must end with the service's own answer",
    ],
  ],
];

const DEMANDS: readonly (readonly [key: string, value: string, allowed: string])[] = [
  ["certificateArn", "", "the ARN of an ACM certificate, in tier production"],
  ["multiAz", "false", "true, in tier production"],
  ["deletionProtection", "false", "true, in tier production"],
  ["backupRetentionDays", "6", "7 or more, in tier production"],
  ["logRetentionDays", "180", "365 or more, in tier production"],
];

/** What a key wants beside it, so that its own mistake is the only one. */
const COMPANIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vpcId: { publicSubnetIds: '["subnet-0a", "subnet-0b"]', isolatedSubnetIds: '["subnet-1a", "subnet-1b"]' },
  domainName: { hostedZoneId: "Z0123456789ABCDEFGHIJ", certificateArn: CERTIFICATE },
  hostedZoneId: { domainName: "projects.example.com", certificateArn: CERTIFICATE },
};

describe("The configuration of a stack", () => {
  for (const [key, values, allowed] of WRONG) {
    for (const value of values) {
      it(`refuses ${key} = ${JSON.stringify(value).slice(0, 40)} in one line with key, value and what is allowed`, async () => {
        assert.deepEqual(await mistakesOf("staging", { ...COMPANIONS[key], [key]: value }), [
          `${key} is ${JSON.stringify(value)}; allowed: ${allowed}`.replace(
            /^(isolatedSubnetIds|publicSubnetIds) is (.*); allowed: empty/,
            (_, name) => `${name} is ${JSON.stringify(JSON.stringify(JSON.parse(value)))}; allowed: empty`,
          ),
        ]);
      });
    }
  }

  for (const [says, config, mistakes] of CONFLICTS) {
    it(`refuses ${says}`, async () => {
      assert.deepEqual(await mistakesOf("staging", config), mistakes);
    });
  }

  for (const [key, value, allowed] of DEMANDS) {
    it(`refuses ${key} = ${JSON.stringify(value)} in production, and takes it in staging`, async () => {
      assert.deepEqual(await mistakesOf("production", { [key]: value }), [
        `${key} is ${JSON.stringify(value)}; allowed: ${allowed}`,
      ]);
      assert.deepEqual(await mistakesOf("staging", { [key]: value }), []);
    });
  }

  it("tells all mistakes in one error, those of single keys and those between keys, in the program itself too", async () => {
    const config = {
      vpcCidr: "x",
      multiAz: "false",
      poolSize: "many",
      requestDeadlineSeconds: "500",
      logRetentionDays: "2",
    };
    for (const entry of [READING, undefined]) {
      const mistakes = await mistakesOf("production", config, entry);
      assert.deepEqual(mistakes.map((mistake) => mistake.split(" ")[0]).sort(), [
        "logRetentionDays",
        "multiAz",
        "poolSize",
        "requestDeadlineSeconds",
        "requestDeadlineSeconds",
        "vpcCidr",
      ]);
    }
  });

  it("takes the extremes that are allowed", async () => {
    const config = {
      vpcCidr: "10.0.0.0/22",
      availabilityZones: "3",
      ingressCidrs: '["10.0.0.0/8", "203.0.113.7/32"]',
      databaseName: `a${"_".repeat(62)}`,
      maxConnections: "5000",
      proxyMaxConnectionsPercent: "70",
      maxTasks: "100",
      poolOversubscription: "1",
      taskCpu: "4096",
      taskMemoryMiB: "30720",
      logRetentionDays: "3653",
      permissionsBoundaryArn: "arn:aws-us-gov:iam::aws:policy/path/to/Boundary+=,.@-1",
    };
    assert.deepEqual(await mistakesOf("staging", config), []);
  });

  it("takes more pooled connections than the database has only when sharing them is said aloud", async () => {
    assert.deepEqual(await mistakesOf("staging", { maxTasks: "7", poolOversubscription: "2" }), []);
  });

  it("says that a key is not set, where Pulumi.yaml has no default for it", async () => {
    const entry = new URL("fixtures/reading-unknown-keys.ts", import.meta.url);
    assert.deepEqual(
      await mistakesOf("staging", {}, entry),
      ["aText", "aChoice", "anInteger", "aFlag", "aList"].map(
        (key) => `${key} is not set; allowed: a value; Pulumi.yaml describes it`,
      ),
    );
  });

  it("refuses keys of another project, which would be passed over without a word, and leaves providers' keys alone", async () => {
    const config = {
      "foreign:maxTasks": "7",
      "foreign:tier": "staging",
      "foreign:unheardOf": "1",
      "aws:skipRegionValidation": "false",
    };
    assert.deepEqual(await mistakesOf("staging", config), [
      `foreign:maxTasks, foreign:tier: of another project than ${PROJECT}, and so never read; ` +
        "allowed: the same keys without the part before the colon, which are this project's",
    ]);
  });
});
