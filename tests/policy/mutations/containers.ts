import { containers, drop, type Mutation, set } from "./mutation.ts";

type Environment = readonly { readonly name: string; readonly value: string }[];

const service = (changes: Readonly<Record<string, unknown>>) => set("aws:ecs/service:Service", "service", changes);
const told = (name: string, value: string) =>
  containers(({ environment }) => ({ environment: [...(environment as Environment), { name, value }] }));

/** Slips in what runs, and in where its image is kept. */
export const CONTAINER_MUTATIONS: readonly Mutation[] = [
  { control: "containers-not-root", says: "root", mutate: containers(() => ({ user: "0:0" })) },
  { control: "containers-not-root", says: "the image's own user", mutate: containers(() => ({ user: undefined })) },
  { control: "containers-not-root", says: "root's group", mutate: containers(() => ({ user: "1000:0" })) },
  {
    control: "containers-read-only",
    says: "a writable file system",
    mutate: containers(() => ({ readonlyRootFilesystem: false })),
  },
  {
    control: "containers-no-capabilities",
    says: "a capability",
    mutate: containers(({ linuxParameters }) => ({
      linuxParameters: { ...(linuxParameters as object), capabilities: { drop: ["ALL"], add: ["SYS_PTRACE"] } },
    })),
  },
  { control: "containers-no-secrets", says: "a password by its name", mutate: told("POSTGRES_PASSWORD", "x") },
  {
    control: "containers-no-secrets",
    says: "a password in a URL",
    mutate: told("DATABASE_URL", "postgres://someone:hidden@database/projects"),
  },
  {
    control: "containers-init-process",
    says: "nobody who reaps",
    mutate: containers(({ linuxParameters }) => ({
      linuxParameters: { ...(linuxParameters as object), initProcessEnabled: false },
    })),
  },
  { control: "containers-ulimits", says: "no limits", mutate: containers(() => ({ ulimits: undefined })) },
  { control: "containers-log", says: "no logs", mutate: containers(() => ({ logConfiguration: undefined })) },
  {
    control: "containers-pinned-by-digest",
    says: "whatever is latest",
    mutate: containers(({ image }) => ({ image: String(image).replace(/@.+$/, ":latest") })),
  },
  {
    control: "containers-separate-roles",
    says: "one role for both",
    mutate: set("TaskDefinition", "service", ({ taskRoleArn }) => ({ executionRoleArn: taskRoleArn })),
    also: ["connect-not-by-execution-role"],
  },
  {
    control: "service-no-public-address",
    says: "a public address",
    mutate: set("aws:ecs/service:Service", "service", ({ networkConfiguration }) => ({
      networkConfiguration: { ...(networkConfiguration as object), assignPublicIp: true },
    })),
  },
  { control: "service-exec-off", says: "a shell for whoever may", mutate: service({ enableExecuteCommand: true }) },
  { control: "service-current-platform", says: "whatever is latest", mutate: service({ platformVersion: "LATEST" }) },
  {
    control: "service-rolls-back",
    says: "failed deployments left standing",
    mutate: service({ deploymentCircuitBreaker: { enable: true, rollback: false } }),
  },
  { control: "service-insights", says: "no insights", mutate: set("Cluster", "service", { settings: [] }) },
  {
    control: "registry-scans-images",
    says: "images not scanned",
    mutate: set("aws:ecr/repository:Repository", "application", { imageScanningConfiguration: { scanOnPush: false } }),
  },
  {
    control: "registry-immutable-tags",
    says: "tags that move",
    mutate: set("aws:ecr/repository:Repository", "application", { imageTagMutability: "MUTABLE" }),
  },
  {
    control: "registry-lifecycle",
    says: "images for ever",
    mutate: drop("aws:ecr/lifecyclePolicy:LifecyclePolicy", "application"),
  },
  {
    control: "registry-lifecycle",
    says: "one image kept",
    mutate: set("aws:ecr/lifecyclePolicy:LifecyclePolicy", "application", {
      policy: JSON.stringify({ rules: [{ selection: { countType: "imageCountMoreThan", countNumber: 1 } }] }),
    }),
  },
];
