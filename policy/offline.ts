import type { DeclaredResource } from "../local/program/resource.ts";
import type { Program } from "../local/program.ts";
import { Fields } from "./fields.ts";
import { type Resource, Stack, type Tier } from "./stack.ts";

/** The evaluated program as controls see a stack: with what awsx's components make, and every output known. */
export function stackOf(program: Pick<Program, "resources">, tier: Tier): Stack {
  return new Stack(tier, program.resources.map(resourceOf));
}

function resourceOf({ urn, type, name, id, outputs }: DeclaredResource): Resource {
  return { urn, type, name, fields: new Fields({ ...outputs, id }) };
}
