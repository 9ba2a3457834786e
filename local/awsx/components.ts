import type { Compose } from "./composition.ts";
import { composeImage, composeRepository } from "./ecr.ts";
import { composeVpc } from "./vpc.ts";

/**
 * The components of awsx that the program uses, which are made by a provider of their own and so make nothing where AWS is
 * pretended. What they come to stands here, from awsx's published source and from running it.
 */
export const COMPONENTS: Readonly<Record<string, Compose>> = {
  "awsx:ec2:Vpc": composeVpc,
  "awsx:ecr:Image": composeImage,
  "awsx:ecr:Repository": composeRepository,
};
