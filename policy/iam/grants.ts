import type { Resource, Stack } from "../stack.ts";
import { parseDocument, type Statement } from "./document.ts";

const ROLE = "aws:iam/role:Role";
const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
const POLICY = "aws:iam/policy:Policy";
const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

/** A resource that holds a document which says what someone may do. */
export function grantingResources(stack: Stack): readonly Resource[] {
  const inline = stack.ofType(ROLE).filter(({ fields }) => fields.list("inlinePolicies").length > 0);
  return [...stack.ofType(ROLE_POLICY, POLICY), ...inline];
}

/** The statements that a resource grants by. */
export function statementsOf({ type, name, fields }: Resource): readonly Statement[] {
  if (type === ROLE) {
    return fields
      .list("inlinePolicies")
      .flatMap((inline) => parse(inline.text("policy"), `an inline policy of ${name}`));
  }
  return parse(fields.text("policy"), `the policy ${name}`);
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
