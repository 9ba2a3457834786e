import { arn, hex } from "../place.ts";
import { type ComputeOutputs, named, text } from "./computed.ts";

/** What ECR computes, and what a build and push of an image come to. */
export const REGISTRY_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": ({ inputs }, place) => ({
    id: text(inputs.repository),
    outputs: { registryId: place.accountId },
  }),
  "aws:ecr/repository:Repository": (made, place) => {
    const name = named(made);
    const repositoryUrl = `${place.accountId}.dkr.ecr.${place.region}.${place.dnsSuffix}/${name}`;
    return {
      id: name,
      outputs: { name, arn: arn(place, "ecr", `repository/${name}`), repositoryUrl, registryId: place.accountId },
    };
  },
  "docker-build:index:Image": ({ inputs }) => {
    const [tag] = inputs.tags as readonly string[];
    const digest = `sha256:${hex(text(tag), 64)}`;
    return { id: digest, outputs: { digest, ref: `${text(tag)}@${digest}`, contextHash: hex(text(tag), 64) } };
  },
};
