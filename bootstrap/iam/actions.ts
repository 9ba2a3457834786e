import type { ActionsByType, ResourceActions } from "./actions/actions.ts";
import { BUCKET_ACTIONS } from "./actions/buckets.ts";
import { DATABASE_ACTIONS } from "./actions/database.ts";
import { DELIVERY_ACTIONS } from "./actions/delivery.ts";
import { FOUNDATION_ACTIONS } from "./actions/foundations.ts";
import { AWSX_FUNCTION_ACTIONS, FUNCTION_ACTIONS } from "./actions/functions.ts";
import { NETWORK_ACTIONS } from "./actions/network.ts";
import { SERVICE_ACTIONS } from "./actions/service.ts";

/**
 * Every type of resource that the deployed program declares, and what AWS is asked for it: all that the roles may do comes from
 * here. A type that the program gains must be added, and one that it loses taken out.
 */
export const RESOURCE_ACTIONS: ActionsByType = {
  ...NETWORK_ACTIONS,
  ...BUCKET_ACTIONS,
  ...DATABASE_ACTIONS,
  ...SERVICE_ACTIONS,
  ...FOUNDATION_ACTIONS,
};

/** Actions of one service, such as `rds`, in order and each once. */
export interface ServiceActions {
  readonly service: string;
  readonly actions: readonly string[];
}

/** What a preview asks of AWS, by service. */
export function readActions(): readonly ServiceActions[] {
  return byService([...every(({ read }) => read), ...functionActions()]);
}

/** What a deployment asks of AWS, by service. */
export function deployActions(): readonly ServiceActions[] {
  return byService([...every(({ read, write }) => [...read, ...write]), ...functionActions(), ...DELIVERY_ACTIONS]);
}

function functionActions(): readonly string[] {
  return [FUNCTION_ACTIONS, AWSX_FUNCTION_ACTIONS].flatMap((table) => Object.values(table).flat());
}

function every(which: (actions: ResourceActions) => readonly string[]): readonly string[] {
  return Object.values(RESOURCE_ACTIONS).flatMap(which);
}

function byService(actions: readonly string[]): readonly ServiceActions[] {
  const sorted = [...new Set(actions)].sort();
  const services = [...new Set(sorted.map(serviceOf))];
  return services.map((service) => ({
    service,
    actions: sorted.filter((action) => serviceOf(action) === service),
  }));
}

function serviceOf(action: string): string {
  return action.split(":")[0] ?? "";
}
