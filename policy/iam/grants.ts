import type { Fields } from "../fields.ts";
import type { Resource, Stack } from "../stack.ts";
import { parseDocument, type Statement } from "./document.ts";

const ROLE = "aws:iam/role:Role";
const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
const POLICY = "aws:iam/policy:Policy";
const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

/** The resources that hold a document which says what someone may do. */
export function grantingResources(stack: Stack): readonly Resource[] {
  const inline = stack.ofType(ROLE).filter((role) => inlinePolicies(role, stack).length > 0);
  return [...stack.ofType(ROLE_POLICY, POLICY), ...inline];
}

/** The statements that a resource grants by. */
export function statementsOf(grant: Resource, stack: Stack): readonly Statement[] {
  const { type, name, fields } = grant;
  if (type !== ROLE) return parse(fields.text("policy"), `the policy ${name}`);
  return inlinePolicies(grant, stack).flatMap((inline) => parse(inline.text("policy"), `an inline policy of ${name}`));
}

/**
 * The policies that a role has of its own. The provider reports those that stand beside it there too, once they exist; and where it
 * reports nothing yet, the role declares none.
 */
function inlinePolicies({ fields }: Resource, stack: Stack): readonly Fields[] {
  if (!fields.isKnown("inlinePolicies")) return [];
  const inline = fields.list("inlinePolicies");
  if (inline.length === 0) return [];
  const role = fields.text("name");
  const beside = stack
    .ofType(ROLE_POLICY)
    .filter((policy) => policy.fields.text("role") === role)
    .map((policy) => policy.fields.text("name"));
  return inline.filter((policy) => policy.has("policy") && !beside.includes(policy.text("name")));
}

/** The statements by which a role is let into being assumed. */
export function trustOf({ name, fields }: Resource): readonly Statement[] {
  return parse(fields.text("assumeRolePolicy"), `the trust of ${name}`);
}

/** The declared role with an ARN. */
export function roleByArn(stack: Stack, arn: string | undefined): Resource | undefined {
  return stack.find(ROLE, "arn", arn);
}

/** The resources that grant something to a role, itself among them when it has inline policies. */
export function grantsOf(stack: Stack, role: Resource): readonly Resource[] {
  const roleName = role.fields.text("name");
  const attached = stack
    .ofType(ATTACHMENT)
    .filter(({ fields }) => fields.text("role") === roleName)
    .map(({ fields }) => fields.text("policyArn"));
  return grantingResources(stack).filter(({ type, urn, fields }) => {
    if (type === ROLE) return urn === role.urn;
    if (type === ROLE_POLICY) return fields.text("role") === roleName;
    return attached.includes(fields.text("arn"));
  });
}

/** The roles that a granting resource grants to. */
export function rolesOf(stack: Stack, grant: Resource): readonly Resource[] {
  return stack.ofType(ROLE).filter((role) => grantsOf(stack, role).some(({ urn }) => urn === grant.urn));
}

/** The roles that ECS takes while it starts a task. */
export function executionRoles(stack: Stack): readonly Resource[] {
  const arns = stack
    .ofType("aws:ecs/taskDefinition:TaskDefinition")
    .map(({ fields }) => fields.text("executionRoleArn"));
  return stack.ofType(ROLE).filter(({ fields }) => arns.includes(fields.text("arn")));
}

function parse(document: string | undefined, where: string): readonly Statement[] {
  return document === undefined ? [] : parseDocument(document, where);
}
