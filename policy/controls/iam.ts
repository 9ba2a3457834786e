import { type Control, every, unless, wrong } from "../control.ts";
import type { Statement } from "../iam/document.ts";
import { escalations } from "../iam/escalation.ts";
import { grantingResources, statementsOf, trustOf } from "../iam/grants.ts";
import { hasWildcard, isHeldBy } from "../iam/match.ts";
import { isNamedWildcard } from "../iam/named-wildcards.ts";
import { label, type Resource, type Stack } from "../stack.ts";

const ROLE = "aws:iam/role:Role";

/**
 * Services that promise no source account for the roles that they assume, and why it is safe to leave it out. RDS Proxy: "Setting up
 * AWS Identity and Access Management (IAM) policies for RDS Proxy" names no global condition key, so a condition could lock it out.
 */
const WITHOUT_SOURCE_ACCOUNT = ["rds.amazonaws.com"];

/** Policies that AWS keeps and that may be attached all the same, by the end of their ARNs, each with its reason. */
const NAMED_MANAGED_POLICIES: Readonly<Record<string, string>> = {
  ":policy/service-role/AmazonRDSEnhancedMonitoringRole":
    'the one policy that RDS documents for writing its records ("Setting up and enabling Enhanced Monitoring")',
};

/** What roles may do, and who may assume them. */
export const IAM_CONTROLS: readonly Control[] = [
  {
    id: "iam-no-wildcards",
    title: "Policies name actions and resources; the only wildcards are those of a list, each with its reason",
    sources: ["IAM.1", "IAM.21", "CIS 1.16", "CKV_AWS_63", "CKV_AWS_355", "AVD-AWS-0057", "AwsSolutions-IAM5"],
    severity: "high",
    selects: grantingResources,
    check: (grant, stack) => allowing(statementsOf(grant, stack)).flatMap(wildcards),
  },
  {
    id: "iam-no-escalation",
    title: "No policy allows an action by which a role could get more than it was given",
    sources: ["CKV_AWS_286", "CKV_AWS_289", "iam_inline_policy_allows_privilege_escalation"],
    severity: "critical",
    selects: grantingResources,
    check: (grant, stack) =>
      allowing(statementsOf(grant, stack)).flatMap((statement) => {
        const found = escalations(statement);
        return unless(found.length === 0, `what statement ${statement.sid} allows`, found, "no privilege escalation");
      }),
  },
  {
    id: "iam-no-managed-policies",
    title: "Roles hold what the stack declares; the only policy of AWS is one of a list, with its reason",
    sources: ["AwsSolutions-IAM4"],
    severity: "medium",
    selects: every(ROLE),
    check: managedPolicies,
  },
  {
    id: "iam-one-boundary",
    title: "Where one role has a permissions boundary, every role has the same",
    sources: ['"Permissions boundaries for IAM entities"'],
    severity: "medium",
    selects: every(ROLE),
    check: ({ fields }, stack) => {
      const boundaries = stack.ofType(ROLE).map((role) => role.fields.text("permissionsBoundary"));
      const wanted = boundaries.find((boundary) => boundary !== undefined);
      const own = fields.text("permissionsBoundary");
      return unless(own === wanted, "permissionsBoundary", own, `${wanted}, as other roles have`);
    },
  },
  {
    id: "iam-trusts-services-only",
    title: "Roles are assumed by services of AWS, never by an account, a user or everyone",
    sources: ["CKV_AWS_60", "CKV_AWS_61"],
    severity: "critical",
    selects: every(ROLE),
    check: (role) =>
      allowing(trustOf(role)).flatMap(({ principals, exceptPrincipals }) => {
        const others = principals.filter(({ type, value }) => type !== "Service" || hasWildcard(value));
        const found = exceptPrincipals ? ["everyone but some"] : others.map(({ type, value }) => `${type} ${value}`);
        return unless(found.length === 0 && principals.length > 0, "who may assume it", found, "services of AWS");
      }),
  },
  {
    id: "iam-trusts-own-account",
    title: "A service assumes a role only on behalf of this account",
    sources: ["iam_role_cross_service_confused_deputy_prevention", '"The confused deputy problem"'],
    severity: "high",
    selects: every(ROLE),
    check: (role) => allowing(trustOf(role)).flatMap(deputies),
  },
  {
    id: "iam-no-users",
    title: "The stack makes no user and no access key",
    sources: ["CKV_AWS_273", '"Security best practices in IAM"'],
    severity: "high",
    selects: (stack) => [stack.itself],
    check: (_, stack) =>
      stack
        .ofType("aws:iam/user:User", "aws:iam/accessKey:AccessKey", "aws:iam/userLoginProfile:UserLoginProfile")
        .map((found) => wrong("who has lasting credentials", label(found), "roles only")),
  },
];

function allowing(statements: readonly Statement[]): readonly Statement[] {
  return statements.filter(({ effect }) => effect === "Allow");
}

function wildcards({ sid, actions, exceptActions, resources, exceptResources }: Statement): readonly string[] {
  const wide = actions.filter(hasWildcard);
  const open = resources.filter((resource) => {
    return hasWildcard(resource) && !actions.every((action) => isNamedWildcard(action, resource));
  });
  return [
    ...unless(
      !exceptActions && wide.length === 0,
      `actions of statement ${sid}`,
      exceptActions ? "all but some" : wide,
      "actions by name",
    ),
    ...unless(
      !exceptResources && open.length === 0,
      `resources of statement ${sid}`,
      exceptResources ? "all but some" : open,
      "ARNs without wildcards, or one of policy/iam/named-wildcards.ts",
    ),
  ];
}

function deputies(statement: Statement): readonly string[] {
  const services = statement.principals.filter(({ type }) => type === "Service").map(({ value }) => value);
  const unheld = services.filter((service) => !WITHOUT_SOURCE_ACCOUNT.includes(service));
  if (unheld.length === 0 || isHeldBy(statement, /^aws:SourceAccount$/i)) return [];
  return [wrong(`aws:SourceAccount in the trust of ${unheld.join(", ")}`, undefined, "this account's number")];
}

function managedPolicies(role: Resource, stack: Stack): readonly string[] {
  const { fields } = role;
  const attached = stack
    .ofType("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    .filter((attachment) => attachment.fields.text("role") === fields.text("name"))
    .map((attachment) => attachment.fields.text("policyArn") ?? "");
  const own = stack.ofType("aws:iam/policy:Policy").map((policy) => policy.fields.text("arn"));
  const named = Object.keys(NAMED_MANAGED_POLICIES);
  const strangers = [...fields.texts("managedPolicyArns"), ...attached].filter(
    (arn) => !own.includes(arn) && !named.some((end) => arn.endsWith(end)),
  );
  return unless(strangers.length === 0, "policies that are attached to it", strangers, "policies of this stack");
}
