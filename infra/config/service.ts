import type { ServiceSize } from "../service/arguments.ts";
import { between, type ConfigReader, matching, oneOf } from "./reader.ts";

/** The tasks: their size and number, and the image where it is not built. */
export interface ServiceConfiguration extends ServiceSize {
  /** Digest of an image that is in the stack's repository already; undefined builds one. */
  readonly imageDigest: string | undefined;
}

/** Fargate's memory for each CPU size, in MiB: from, to, step ("Task CPU and memory", ECS). */
const FARGATE_MEMORY: Readonly<Record<number, readonly [from: number, to: number, step: number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16384, 1024],
  4096: [8192, 30720, 1024],
};

const DIGEST = matching(/^sha256:[0-9a-f]{64}$/, "the digest of an image, sha256: and 64 hexadecimal digits");

/** Reads what the tasks are, and how many. */
export function readService(read: ConfigReader): ServiceConfiguration {
  const cpu = read.integer("taskCpu", oneOf(...Object.keys(FARGATE_MEMORY).map(Number)));
  const [from, to, step] = FARGATE_MEMORY[cpu] ?? [512, 30_720, 512];
  const memory = {
    says: `${from} to ${to} in steps of ${step}${Number.isNaN(cpu) ? "" : ` with taskCpu ${cpu}`}`,
    accepts: (mib: number) => mib >= from && mib <= to && (mib - from) % step === 0,
  };
  const minTasks = read.integer("minTasks", between(1, 100));
  const maxTasks = read.integer("maxTasks", between(1, 100));
  if (maxTasks < minTasks) read.refuse("maxTasks", maxTasks, `at least minTasks (${minTasks})`);
  return {
    imageDigest: read.text("imageDigest", DIGEST, { optional: true }) || undefined,
    cpuArchitecture: read.choice("cpuArchitecture", ["ARM64", "X86_64"]),
    cpu,
    memoryMiB: read.integer("taskMemoryMiB", memory),
    minTasks,
    maxTasks,
    targetCpuPercent: read.integer("targetCpuPercent", between(10, 90)),
    poolSize: read.integer("poolSize", between(1, 100)),
  };
}
