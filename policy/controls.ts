import type { Control } from "./control.ts";
import { ACCESS_LOG_CONTROLS } from "./controls/access-logs.ts";
import { ALARM_CONTROLS } from "./controls/alarms.ts";
import { CONNECT_CONTROLS } from "./controls/connect.ts";
import { CONTAINER_CONTROLS } from "./controls/containers.ts";
import { DATABASE_CONTROLS } from "./controls/database.ts";
import { DATABASE_OPERATION_CONTROLS } from "./controls/database-operation.ts";
import { IAM_CONTROLS } from "./controls/iam.ts";
import { KEY_CONTROLS } from "./controls/keys.ts";
import { LOAD_BALANCER_CONTROLS } from "./controls/load-balancer.ts";
import { NETWORK_CONTROLS } from "./controls/network.ts";
import { PROXY_CONTROLS } from "./controls/proxy.ts";
import { PROXY_ROLE_CONTROLS } from "./controls/proxy-role.ts";
import { REGISTRY_CONTROLS } from "./controls/registry.ts";
import { SECRECY_CONTROLS } from "./controls/secrecy.ts";
import { SECURITY_GROUP_CONTROLS } from "./controls/security-groups.ts";
import { SERVICE_CONTROLS } from "./controls/service.ts";

/** The controls in groups, as the documents show them. */
export const CONTROL_GROUPS: readonly (readonly [title: string, controls: readonly Control[]])[] = [
  ["Proxy", [...PROXY_CONTROLS, ...PROXY_ROLE_CONTROLS]],
  ["Who connects", CONNECT_CONTROLS],
  ["Database", [...DATABASE_CONTROLS, ...DATABASE_OPERATION_CONTROLS]],
  ["Secrets and keys", [...SECRECY_CONTROLS, ...KEY_CONTROLS]],
  ["Network", [...NETWORK_CONTROLS, ...SECURITY_GROUP_CONTROLS]],
  ["Load balancer", [...LOAD_BALANCER_CONTROLS, ...ACCESS_LOG_CONTROLS]],
  ["Containers and registry", [...CONTAINER_CONTROLS, ...SERVICE_CONTROLS, ...REGISTRY_CONTROLS]],
  ["IAM", IAM_CONTROLS],
  ["Alarms and logs", ALARM_CONTROLS],
];

/** Every control. */
export const CONTROLS: readonly Control[] = CONTROL_GROUPS.flatMap(([, controls]) => controls);
