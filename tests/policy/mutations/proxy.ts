import { withoutStatement } from "../../../local/program/edit.ts";
import { action, alongside, alsoResource, condition, resource } from "../../infra/iam/widen.ts";
import { containers, copy, drop, type Mutation, output, restate, set } from "./mutation.ts";

const CONNECT = ["RolePolicy", "proxy-connect-service"] as const;
const READ = ["RolePolicy", "proxy-read-secret"] as const;

type Environment = readonly { readonly name: string; readonly value: string }[];
type Auths = readonly Readonly<Record<string, unknown>>[];

const VIA = (operator: string, region: string) =>
  restate(READ, 1, condition({ [operator]: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` } }));

const lifetime = (seconds: string | undefined) =>
  containers(({ environment }) => ({
    environment: (environment as Environment).flatMap((variable) => {
      if (variable.name !== "DB_CONNECTION_LIFETIME_SECONDS") return [variable];
      return seconds === undefined ? [] : [{ ...variable, value: seconds }];
    }),
  }));

/** Slips in what the proxy's role may do, and in who connects: each of the ways in which a control must notice them. */
export const GRANT_MUTATIONS: readonly Mutation[] = [
  {
    control: "proxy-reads-exact-secret",
    says: "the secret not readable",
    mutate: (program) => withoutStatement(program, "proxy-read-secret", "ReadMasterSecret"),
  },
  {
    control: "proxy-reads-exact-secret",
    says: "the secret writable",
    mutate: restate(READ, 0, action("secretsmanager:PutSecretValue")),
  },
  {
    control: "proxy-reads-exact-secret",
    says: "every secret readable",
    mutate: restate(READ, 0, resource(/.+/, "*")),
    also: ["iam-no-wildcards"],
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "the secret not decryptable",
    mutate: (program) => withoutStatement(program, "proxy-read-secret", "DecryptMasterSecret"),
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "another key usable",
    mutate: restate(READ, 1, alsoResource(/key\/.+/, "key/00000000-0000-4000-8000-000000000000")),
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "the key usable for encryption",
    mutate: restate(READ, 1, action("kms:Encrypt")),
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "the key usable through Secrets Manager or through nothing",
    mutate: VIA("StringEqualsIfExists", "eu-west-2"),
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "the key usable through Secrets Manager of another region",
    mutate: VIA("StringEquals", "eu-west-1"),
  },
  {
    control: "connect-never-wildcard",
    says: "whatever begins with connect",
    mutate: restate(CONNECT, 0, (statement) => ({ ...statement, Action: "rds-db:connect*" })),
    also: ["iam-no-wildcards"],
  },
  {
    control: "connect-never-wildcard",
    says: "any proxy",
    mutate: restate(CONNECT, 0, resource(/prx-[^/]+/, "*")),
    also: ["iam-no-wildcards"],
  },
  {
    control: "connect-through-proxy",
    says: "a proxy of another stack too",
    mutate: restate(CONNECT, 0, alsoResource(/prx-[^/]+/, "prx-0123456789abcdef0")),
  },
  {
    control: "proxy-idle-above-lifetime",
    says: "connections that live as long as the proxy waits",
    mutate: lifetime("1800"),
  },
  { control: "proxy-idle-above-lifetime", says: "connections that live for ever", mutate: lifetime(undefined) },
  {
    control: "proxy-target-same-network",
    says: "the proxy in subnets of its own",
    mutate: (program) =>
      set("Proxy", "proxy", () => ({
        vpcSubnetIds: [output(program, "aws:ec2/subnet:Subnet", "network-vpc-public-1", "id")],
      }))(program),
    also: ["database-subnets-isolated"],
  },
];

/** Slips at the proxy and in who connects through it. */
export const PROXY_MUTATIONS: readonly Mutation[] = [
  { control: "proxy-requires-tls", says: "TLS optional", mutate: set("Proxy", "proxy", { requireTls: false }) },
  {
    control: "proxy-requires-iam",
    says: "passwords of clients taken",
    mutate: set("Proxy", "proxy", ({ auths }) => ({
      auths: (auths as Auths).map((auth) => ({ ...auth, iamAuth: "DISABLED" })),
    })),
  },
  {
    control: "proxy-one-secret-an-entry",
    says: "a secret in two entries",
    mutate: set("Proxy", "proxy", ({ auths }) => ({ auths: [...(auths as Auths), ...(auths as Auths)] })),
  },
  {
    control: "proxy-target-same-network",
    says: "the database in another VPC",
    mutate: set("SecurityGroup", "database", { vpcId: "vpc-0123456789abcdef0" }),
  },
  {
    control: "proxy-debug-logging-off",
    says: "SQL text logged",
    mutate: set("Proxy", "proxy", { debugLogging: true }),
  },
  { control: "proxy-log-retained", says: "the proxy's log left to AWS", mutate: drop("LogGroup", "proxy") },
  {
    control: "proxy-idle-above-lifetime",
    says: "clients closed before the application closes them",
    mutate: set("Proxy", "proxy", { idleClientTimeout: 1_000 }),
  },
  {
    control: "proxy-borrow-below-load-balancer",
    says: "a borrow time-out of five minutes",
    mutate: set("ProxyDefaultTargetGroup", "proxy", ({ connectionPoolConfig }) => ({
      connectionPoolConfig: { ...(connectionPoolConfig as object), connectionBorrowTimeout: 300 },
    })),
  },
  {
    control: "proxy-connection-head-room",
    says: "four fifths of the connections for the proxy",
    mutate: set("ProxyDefaultTargetGroup", "proxy", ({ connectionPoolConfig }) => ({
      connectionPoolConfig: { ...(connectionPoolConfig as object), maxConnectionsPercent: 80 },
    })),
  },
  {
    control: "proxy-role-trusts-rds-only",
    says: "the proxy's role for tasks too",
    mutate: restate(
      ["Role", "proxy"],
      0,
      alongside({
        Principal: { Service: "ecs-tasks.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
      }),
    ),
  },
  {
    control: "proxy-reads-exact-secret",
    says: "another secret readable",
    mutate: restate(READ, 0, alsoResource(/rds!.+/, "rds!db-another-AbCdEf")),
  },
  {
    control: "proxy-decrypts-through-secrets-manager",
    says: "the secret's key usable directly",
    mutate: restate(READ, 1, condition(undefined)),
  },
  {
    control: "connect-never-wildcard",
    says: "any user",
    mutate: restate(CONNECT, 0, resource(/[^/]+$/, "*")),
    also: ["iam-no-wildcards"],
  },
  {
    control: "connect-through-proxy",
    says: "the instance instead of the proxy",
    mutate: restate(CONNECT, 0, resource(/prx-[^/]+/, "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
  },
  {
    control: "connect-not-by-execution-role",
    says: "the grant on the execution role",
    mutate: (program) =>
      set("RolePolicy", "proxy-connect-service", { role: output(program, "Role", "service-execution", "name") })(
        program,
      ),
  },
  {
    control: "connect-as-secrets-user",
    says: "a user whom the proxy cannot log in",
    mutate: restate(CONNECT, 0, alsoResource(/[^/]+$/, "reporting")),
  },
  {
    control: "connect-not-as-master-user",
    says: "a second grant for the master user",
    mutate: copy("RolePolicy", "proxy-connect-service", "proxy-connect-reporting"),
  },
];
