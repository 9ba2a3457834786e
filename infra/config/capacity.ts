import { type Capacity, capacityMistake } from "../capacity.ts";
import type { Configuration } from "../config.ts";
import { between, type ConfigReader } from "./reader.ts";

/** Refuses more connections than the database has. */
export function refuseTooManyConnections(read: ConfigReader, { service, database, proxy }: Configuration): void {
  const capacity: Capacity = {
    maxTasks: service.maxTasks,
    poolSize: service.poolSize,
    maxConnections: database.maxConnections,
    proxyMaxConnectionsPercent: proxy.maxConnectionsPercent,
    oversubscription: read.integer("poolOversubscription", between(1, 20)),
  };
  if (!Object.values(capacity).every(Number.isInteger)) return;
  const mistake = capacityMistake(capacity);
  if (mistake) read.conflict(mistake);
}
