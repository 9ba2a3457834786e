import { alongside, alsoResource, condition, resource } from "../../infra/iam/widen.ts";
import { copy, drop, type Mutation, output, restate, set } from "./mutation.ts";

const CONNECT = ["RolePolicy", "proxy-connect-service"] as const;
const READ = ["RolePolicy", "proxy-read-secret"] as const;

type Auths = readonly Readonly<Record<string, unknown>>[];

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
