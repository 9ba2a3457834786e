import * as pulumi from "@pulumi/pulumi";
import { type AlarmsConfiguration, readAlarms } from "./config/alarms.ts";
import { refuseTooManyConnections } from "./config/capacity.ts";
import { readDatabase } from "./config/database.ts";
import { type EntranceConfiguration, readEntrance } from "./config/entrance.ts";
import { type NetworkConfiguration, readNetwork } from "./config/network.ts";
import { refuseWeakProduction } from "./config/production.ts";
import { between, ConfigReader, oneOf } from "./config/reader.ts";
import { type RolesConfiguration, readRoles } from "./config/roles.ts";
import { readService, type ServiceConfiguration } from "./config/service.ts";
import { readTimeouts } from "./config/timeouts.ts";
import type { InstanceSettings } from "./database/arguments.ts";
import type { Timeouts } from "./timeouts.ts";

/** The whole configuration of a stack, parsed once. */
export interface Configuration {
  readonly tier: "production" | "staging";
  readonly network: NetworkConfiguration;
  readonly entrance: EntranceConfiguration;
  readonly database: InstanceSettings;
  readonly proxy: { readonly maxConnectionsPercent: number };
  readonly service: ServiceConfiguration;
  readonly timeouts: Timeouts;
  readonly logRetentionDays: number;
  readonly alarms: AlarmsConfiguration;
  readonly roles: RolesConfiguration;
}

/** Retentions that CloudWatch Logs knows ("PutRetentionPolicy"). */
const LOG_RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/**
 * Reads and checks the stack's configuration. Throws one `pulumi.RunError` that names every mistake with key, value and what is
 * allowed. Nothing else in the program reads configuration, and nothing reads it when a module is loaded.
 */
export function loadConfiguration(): Configuration {
  const read = new ConfigReader(new pulumi.Config());
  const configuration: Configuration = {
    tier: read.choice("tier", ["staging", "production"]),
    network: readNetwork(read),
    entrance: readEntrance(read),
    database: readDatabase(read),
    proxy: { maxConnectionsPercent: read.integer("proxyMaxConnectionsPercent", between(1, 70)) },
    service: readService(read),
    timeouts: readTimeouts(read),
    logRetentionDays: read.integer("logRetentionDays", oneOf<number>(...LOG_RETENTIONS)),
    alarms: readAlarms(read),
    roles: readRoles(read),
  };
  refuseTooManyConnections(read, configuration);
  if (configuration.tier === "production") refuseWeakProduction(read, configuration);
  read.finish();
  return configuration;
}
