/** The numbers that decide whether every physical connection of the service can have one of the database's. */
export interface Capacity {
  /** Most tasks that autoscaling runs. */
  readonly maxTasks: number;
  /** Physical connections of one task. */
  readonly poolSize: number;
  /** `max_connections` of the database. */
  readonly maxConnections: number;
  /** The proxy's share of them, in percent. */
  readonly proxyMaxConnectionsPercent: number;
  /** Client connections that may share a database connection. */
  readonly oversubscription: number;
}

/** Old and new tasks stand side by side while ECS rolls a deployment (`deploymentMaximumPercent` 200). */
export const ROLLING_DEPLOYMENT_FACTOR = 2;

/** Database connections that the proxy may open: AWS rounds the share down. */
export function proxyShare(capacity: Pick<Capacity, "maxConnections" | "proxyMaxConnectionsPercent">): number {
  return Math.floor((capacity.maxConnections * capacity.proxyMaxConnectionsPercent) / 100);
}

/** What is wrong with the capacity, with its arithmetic and the numbers that could change; undefined when it suffices. */
export function capacityMistake(capacity: Capacity): string | undefined {
  const { maxTasks, poolSize, maxConnections, proxyMaxConnectionsPercent, oversubscription } = capacity;
  const wanted = maxTasks * poolSize * ROLLING_DEPLOYMENT_FACTOR;
  const share = proxyShare(capacity);
  const offered = share * oversubscription;
  if (wanted <= offered) return undefined;
  return (
    `the service may open more connections than the proxy may: ${maxTasks} tasks x ${poolSize} connections x ` +
    `${ROLLING_DEPLOYMENT_FACTOR} during a rolling deployment = ${wanted}, but ${proxyMaxConnectionsPercent} % of ${maxConnections} ` +
    `max_connections = ${share}, x ${oversubscription} oversubscription = ${offered}. Change maxTasks (${maxTasks}), ` +
    `poolSize (${poolSize}) or maxConnections (${maxConnections}); poolOversubscription trusts the proxy's multiplexing instead`
  );
}
