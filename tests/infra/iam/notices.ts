import type { Program } from "../../../local/program.ts";
import { ALLOWED } from "./allowed.ts";
import { decide } from "./decide.ts";
import { readPolicies } from "./declared-policies.ts";
import { nearMisses, SERVICES } from "./near-misses.ts";
import { POSSIBLE, POSSIBLE_FOR_SERVICES } from "./possible.ts";
import type { Scene } from "./scene.ts";
import { concernedServices, type Possibilities, sweep, sweepGuarded } from "./sweep.ts";

/** What the sweeps and the decisions say of a program that was edited. Nothing is noticed of one that is as it should be. */
export interface Notices {
  /** Actions that a role or a service can do otherwise than is listed for it. */
  readonly possible: readonly string[];
  /** What was altered in the near misses that are allowed. */
  readonly allowed: readonly string[];
  /** Decisions that should be in favour and are not. */
  readonly denied: readonly string[];
}

/** Compares an edited program with what is listed for the program as it is, whose scene this is. */
export async function notices(program: Program, scene: Scene): Promise<Notices> {
  const policies = readPolicies(program);
  const possible = new Set<string>();
  for (const role of policies.roles) {
    const found = await sweep(policies, role, await concernedServices(role));
    for (const action of different(found, POSSIBLE[role.name]?.(scene))) possible.add(action);
  }
  for (const service of SERVICES) {
    const found = await sweepGuarded(policies, { arn: service, policies: [] });
    for (const action of different(found, POSSIBLE_FOR_SERVICES[service]?.(scene))) possible.add(action);
  }
  const allowed = new Set<string>();
  const denied: string[] = [];
  for (const { says, asks } of ALLOWED) {
    const asked = asks(scene);
    if (!(await decide(policies, asked.question))) denied.push(says);
    for (const { altered, question } of nearMisses(scene, asked)) {
      if (await decide(policies, question)) allowed.add(altered);
    }
  }
  return { possible: [...possible].sort(), allowed: [...allowed].sort(), denied };
}

function different(found: Possibilities, listed: Possibilities = {}): readonly string[] {
  const actions = [...new Set([...Object.keys(found), ...Object.keys(listed)])];
  return actions.filter((action) => JSON.stringify(found[action]) !== JSON.stringify(listed[action]));
}
