import { type Control, unless, wrong } from "../control.ts";
import type { Statement } from "../iam/document.ts";
import { grantsOf, roleByArn, statementsOf, trustOf } from "../iam/grants.ts";
import { allowsService, conditionsOn, hasWildcard } from "../iam/match.ts";
import type { Resource, Stack } from "../stack.ts";
import { PROXY } from "./proxy.ts";

const MANAGED_KEYS = "aws:kms/key:Key";

/** What the role of a proxy may do: read its secrets, decrypt them, and nothing wider. */
export const PROXY_ROLE_CONTROLS: readonly Control[] = [
  {
    id: "proxy-role-trusts-rds-only",
    title: "Only RDS may assume the proxy's role",
    sources: ["CKV_AWS_60", '"Setting up AWS Identity and Access Management (IAM) policies for RDS Proxy"'],
    severity: "high",
    selects: proxyRoles,
    check: (role) =>
      trustOf(role)
        .filter(({ effect }) => effect === "Allow")
        .flatMap(trustMistakes),
  },
  {
    id: "proxy-reads-exact-secret",
    title: "The proxy's role reads the secrets of the proxy's auth entries and no other",
    sources: [
      "CKV_AWS_288",
      "AwsSolutions-IAM5",
      '"Setting up AWS Identity and Access Management (IAM) policies for RDS Proxy"',
    ],
    severity: "high",
    selects: (stack) => stack.ofType(PROXY).filter(({ fields }) => fields.list("auths").length > 0),
    check: secretAccess,
  },
  {
    id: "proxy-decrypts-through-secrets-manager",
    title: "The proxy's role decrypts by the secret's key alone, and only when Secrets Manager asks on its behalf",
    sources: [
      '"Setting up AWS Identity and Access Management (IAM) policies for RDS Proxy"',
      '"AWS KMS condition keys"',
    ],
    severity: "high",
    selects: (stack) => stack.ofType(PROXY).filter(({ fields }) => fields.list("auths").length > 0),
    check: decryption,
  },
];

function proxyRoles(stack: Stack): readonly Resource[] {
  return stack.ofType(PROXY).flatMap(({ fields }) => roleByArn(stack, fields.text("roleArn")) ?? []);
}

function trustMistakes({ principals, exceptPrincipals, actions, exceptActions }: Statement): readonly string[] {
  const strangers = principals.filter(({ type, value }) => type !== "Service" || value !== "rds.amazonaws.com");
  const found = exceptPrincipals
    ? "everyone but some"
    : strangers.map(({ type, value }) => `${type} ${value}`).join(", ");
  const exact = !exceptActions && actions.every((action) => action === "sts:AssumeRole");
  return [
    ...unless(principals.length > 0 && found === "", "who is trusted", found, "Service rds.amazonaws.com alone"),
    ...unless(exact, "what the trust allows", actions, "sts:AssumeRole"),
  ];
}

/** Statements of a proxy's role that allow something of a service, and what is wrong when there are none. */
function ofService(proxy: Resource, stack: Stack, service: string): readonly Statement[] {
  const role = roleByArn(stack, proxy.fields.text("roleArn"));
  const granted = role === undefined ? [] : grantsOf(stack, role).flatMap((grant) => statementsOf(grant, stack));
  return granted.filter((statement) => allowsService(statement, service));
}

function secretAccess(proxy: Resource, stack: Stack): readonly string[] {
  const secrets = proxy.fields.list("auths").map((auth) => auth.text("secretArn") ?? "");
  const statements = ofService(proxy, stack, "secretsmanager");
  const readable = new Set(statements.flatMap(({ resources }) => resources));
  const missing = secrets.filter((secret) => !readable.has(secret));
  return [
    ...missing.map((secret) => `no policy lets the role read ${secret}; allowed: secretsmanager:GetSecretValue on it`),
    ...statements.flatMap((statement) => exactly(statement, "secretsmanager:GetSecretValue", secrets)),
  ];
}

function decryption(proxy: Resource, stack: Stack): readonly string[] {
  const secrets = proxy.fields.list("auths").map((auth) => auth.text("secretArn") ?? "");
  const keys = secrets.flatMap((secret) => keyOfSecret(stack, secret) ?? []);
  // A secret of another stack: its key is not known here, but must be one that is named.
  const allowed = keys.length === secrets.length ? keys : undefined;
  const statements = ofService(proxy, stack, "kms");
  const usable = new Set(statements.flatMap(({ resources }) => resources));
  const missing = keys.filter((key) => !usable.has(key));
  return [
    ...missing.map((key) => `no policy lets the role decrypt by ${key}; allowed: kms:Decrypt on it`),
    ...unless(statements.length > 0, "what the role may do with KMS", "nothing", "kms:Decrypt by the secret's key"),
    ...statements.flatMap((statement) => [
      ...exactly(statement, "kms:Decrypt", allowed ?? statement.resources.filter((resource) => !hasWildcard(resource))),
      ...viaSecretsManager(statement),
    ]),
  ];
}

function exactly(statement: Statement, action: string, resources: readonly string[]): readonly string[] {
  const { actions, exceptActions, exceptResources } = statement;
  const others = actions.filter((candidate) => candidate !== action);
  const strangers = statement.resources.filter((resource) => !resources.includes(resource));
  return [
    ...unless(!exceptActions && others.length === 0, "actions beyond the one", others, `${action} alone`),
    ...unless(!exceptResources && strangers.length === 0, `resources of ${action}`, strangers, resources.join(", ")),
  ];
}

function viaSecretsManager(statement: Statement): readonly string[] {
  const services = conditionsOn(statement, /^kms:ViaService$/i).flatMap(({ values }) => values);
  const exact = services.filter((service) => /^secretsmanager\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(service));
  const regions = new Set(statement.resources.map((arn) => arn.split(":")[3]));
  const elsewhere = exact.filter((service) => !regions.has(service.split(".")[1]));
  const held = services.length > 0 && exact.length === services.length && elsewhere.length === 0;
  const allowed = "secretsmanager.<the key's region>.amazonaws.com";
  return held ? [] : [wrong("kms:ViaService of the decryption", services.length > 0 ? services : undefined, allowed)];
}

/** The key of a secret that RDS manages for an instance of the stack, or that the stack declares. */
function keyOfSecret(stack: Stack, secretArn: string): string | undefined {
  for (const { fields } of stack.ofType("aws:rds/instance:Instance")) {
    const managed = fields.list("masterUserSecrets").find((secret) => secret.text("secretArn") === secretArn);
    if (managed !== undefined) return fields.text("masterUserSecretKmsKeyId") ?? managed.text("kmsKeyId");
  }
  const declared = stack.find("aws:secretsmanager/secret:Secret", "arn", secretArn)?.fields.text("kmsKeyId");
  return stack.find(MANAGED_KEYS, "keyId", declared)?.fields.text("arn") ?? declared;
}
