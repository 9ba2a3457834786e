import { Fields, UnexpectedForm } from "./fields.ts";
import type { Resource, Stack } from "./stack.ts";

export const TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition";

/** The containers of a task definition. @throws NotKnownYet, UnexpectedForm */
export function containersOf({ fields }: Resource): readonly Fields[] {
  const definitions = fields.json("containerDefinitions");
  if (!Array.isArray(definitions)) throw new UnexpectedForm("containerDefinitions is no list");
  return definitions.map((definition: unknown, index) => new Fields(definition, `containerDefinitions.${index}`));
}

/** Every container of the stack. @throws NotKnownYet, UnexpectedForm */
export function containers(stack: Stack): readonly Fields[] {
  return stack.ofType(TASK_DEFINITION).flatMap(containersOf);
}

/** The plain variables that a container is given. */
export function environmentOf(container: Fields): ReadonlyMap<string, string> {
  return new Map(
    container.list("environment").map((variable) => [variable.text("name") ?? "", variable.text("value") ?? ""]),
  );
}
