import { type Control, wrong } from "../control.ts";
import { label, type Resource, type Stack } from "../stack.ts";

/** Properties of AWS's resources that hold a password or a secret's content. */
const PASSWORD_PROPERTIES = [
  "password",
  "passwordWo",
  "masterPassword",
  "masterPasswordWo",
  "masterUserPassword",
  "secretString",
  "secretStringWo",
  "secretBinary",
  "authToken",
];

/** That no credential is anywhere in the stack. */
export const SECRECY_CONTROLS: readonly Control[] = [
  {
    id: "no-password-anywhere",
    title: "No resource of AWS is given a password: none is in the program, its state or its logs",
    sources: ['"Password management with Amazon RDS and AWS Secrets Manager"'],
    severity: "critical",
    selects: (stack) => [stack.itself],
    check: (_, stack) =>
      stack.resources.filter(({ type }) => type.startsWith("aws:")).flatMap((resource) => passwords(resource, stack)),
  },
];

function passwords(resource: Resource, _stack: Stack): readonly string[] {
  const { fields } = resource;
  const present = fields.names().filter((name) => PASSWORD_PROPERTIES.includes(name));
  // Said by its name; its value is read only to see that there is one.
  return present
    .filter((name) => fields.has(name))
    .map((name) => wrong(`${name} of ${label(resource)}`, "set", "not set"));
}
