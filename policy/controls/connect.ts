import { type Control, unless, wrong } from "../control.ts";
import type { Statement } from "../iam/document.ts";
import { executionRoles, grantingResources, rolesOf, statementsOf } from "../iam/grants.ts";
import { allowsAction, covers, hasWildcard } from "../iam/match.ts";
import { label, type Resource, type Stack } from "../stack.ts";
import { PROXY } from "./proxy.ts";

const CONNECT = "rds-db:connect";
const PAGE = '"Creating and using an IAM policy for IAM database access"';

/** Who may connect to the database, as whom, and by which way. */
export const CONNECT_CONTROLS: readonly Control[] = [
  {
    id: "connect-never-wildcard",
    title: "rds-db:connect names one resource and one user, never a wildcard",
    sources: ["AwsSolutions-IAM5", "CKV_AWS_355", PAGE],
    severity: "critical",
    selects: connecting,
    check: (grant, stack) => connectStatements(grant, stack).flatMap(wildcards),
  },
  {
    id: "connect-through-proxy",
    title: "rds-db:connect names a proxy of the stack, never the instance behind it",
    sources: [PAGE],
    severity: "high",
    selects: connecting,
    check: throughProxy,
  },
  {
    id: "connect-not-by-execution-role",
    title: "rds-db:connect is granted to the role of the containers, never to the one that starts them",
    sources: ['"Best practices for IAM roles in Amazon ECS"'],
    severity: "high",
    selects: connecting,
    check: (grant, stack) => {
      const starting = executionRoles(stack).map(({ urn }) => urn);
      return rolesOf(stack, grant)
        .filter(({ urn }) => starting.includes(urn))
        .map((role) => wrong("the role that may connect", label(role), "the role of the containers"));
    },
  },
  {
    id: "connect-as-secrets-user",
    title: "rds-db:connect names the user of the proxy's secret, the only one whom the proxy can log in",
    sources: ['"Troubleshooting for RDS Proxy"'],
    severity: "high",
    selects: connecting,
    check: (grant, stack) =>
      usersOf(grant, stack).flatMap((user) => {
        const known = secretUsers(stack);
        return unless(
          known.includes(user),
          `the user of ${CONNECT}`,
          user,
          known.join(", ") || "none: no secret is known",
        );
      }),
  },
  {
    id: "connect-not-as-master-user",
    title: "The application does not connect as the database's master user",
    sources: ['"Master user account privileges"'],
    severity: "medium",
    selects: connecting,
    check: (grant, stack) => {
      const masters = stack.ofType("aws:rds/instance:Instance").map(({ fields }) => fields.text("username"));
      return named(grant, stack)
        .map(([, user]) => user)
        .filter((user) => masters.some((master) => master !== undefined && covers(user, master)))
        .map((user) => wrong(`the user of ${CONNECT}`, user, "a user with the application's privileges only"));
    },
  },
];

function connecting(stack: Stack): readonly Resource[] {
  return grantingResources(stack).filter((grant) => connectStatements(grant, stack).length > 0);
}

function connectStatements(grant: Resource, stack: Stack): readonly Statement[] {
  return statementsOf(grant, stack).filter((statement) => allowsAction(statement, CONNECT));
}

function wildcards({ actions, exceptActions, exceptResources, resources }: Statement): readonly string[] {
  const open = resources.filter(hasWildcard);
  const wide = actions.filter((action) => hasWildcard(action));
  return [
    ...unless(!exceptActions && wide.length === 0, "actions that hold rds-db:connect", wide, CONNECT),
    ...unless(
      !exceptResources && open.length === 0,
      `resources of ${CONNECT}`,
      open,
      "…:dbuser:prx-…/<user>, without * or ?",
    ),
  ];
}

/** The parts after `dbuser:` of what a grant names; what has another form has wildcards, and is told elsewhere. */
function named(grant: Resource, stack: Stack): readonly (readonly [id: string, user: string])[] {
  return connectStatements(grant, stack)
    .flatMap(({ resources }) => resources)
    .flatMap((arn) => {
      const [id, user] = arn.split(":dbuser:")[1]?.split("/") ?? [];
      return id === undefined || user === undefined ? [] : [[id, user] as const];
    });
}

function usersOf(grant: Resource, stack: Stack): readonly string[] {
  return named(grant, stack).flatMap(([, user]) => (hasWildcard(user) ? [] : [user]));
}

function throughProxy(grant: Resource, stack: Stack): readonly string[] {
  const proxies = stack.ofType(PROXY).map(({ fields }) => fields.text("arn")?.split(":").at(-1));
  return named(grant, stack).flatMap(([id]) =>
    unless(hasWildcard(id) || proxies.includes(id), `the resource id of ${CONNECT}`, id, proxies.join(", ")),
  );
}

/** Users of the secrets that the proxies log in by, as far as the stack says: those of instances with a managed secret. */
function secretUsers(stack: Stack): readonly string[] {
  const used = stack.ofType(PROXY).flatMap(({ fields }) => fields.list("auths").map((auth) => auth.text("secretArn")));
  return stack.ofType("aws:rds/instance:Instance").flatMap(({ fields }) => {
    const own = fields.list("masterUserSecrets").map((secret) => secret.text("secretArn"));
    const user = fields.text("username");
    return user !== undefined && own.some((secret) => used.includes(secret)) ? [user] : [];
  });
}
