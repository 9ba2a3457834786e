import { CIDR } from "./forms.ts";
import { type ConfigReader, matching } from "./reader.ts";

/** How clients come in. */
export interface EntranceConfiguration {
  readonly certificateArn: string | undefined;
  /** Ranges that may reach an internet-facing load balancer; empty makes it internal. */
  readonly ingressCidrs: readonly string[];
}

/** Prefixes below this length are "the world": no single owner holds so much of it. */
const WORLD_PREFIX = 8;

/** Reads how clients come in. */
export function readEntrance(read: ConfigReader): EntranceConfiguration {
  const arn = matching(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
    "the ARN of an ACM certificate",
  );
  const certificateArn = read.text("certificateArn", arn, { optional: true }) || undefined;
  const ingressCidrs = read.list("ingressCidrs", CIDR);
  const world = ingressCidrs.filter((cidr) => Number(cidr.split("/")[1]) < WORLD_PREFIX);
  if (world.length > 0 && certificateArn === undefined) {
    read.refuse("ingressCidrs", world, `ranges of /${WORLD_PREFIX} or longer prefixes, unless certificateArn is set`);
  }
  return { certificateArn, ingressCidrs };
}
