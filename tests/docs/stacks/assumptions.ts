/** Load that the estimate takes for granted, in load balancer capacity units: 25 new connections or 1 GB an hour make one. */
export const LOAD_BALANCER_CAPACITY = 1;

/**
 * Gigabytes a month that are written or carried, by logical name: assumed for a service of a few requests a second, since no
 * declaration says it. Of the repository, the size of one image.
 */
export const GIGABYTES: Readonly<Record<string, number>> = {
  application: 0.1,
  "database-postgresql": 2,
  "database-upgrade": 0,
  "enhanced-monitoring": 0.5,
  "load-balancer-logs": 5,
  "network-ecr-api": 0.1,
  "network-ecr-dkr": 0.1,
  "network-flow": 5,
  "network-logs": 5,
  proxy: 0.1,
  service: 5,
};

/** What is assumed of something that is declared. */
export function usual(assumptions: Readonly<Record<string, number>>, name: string): number {
  const found = assumptions[name];
  if (found === undefined) throw new Error(`nothing is assumed of ${name}: add it to tests/docs/stacks/assumptions.ts`);
  return found;
}
