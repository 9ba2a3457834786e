import type { Properties } from "../outputs/computed.ts";
import { BELOW_COMPONENT, BELOW_STACK, type Composition, Reference, secret, UNKNOWN } from "./composition.ts";

/** What ECR's login answers in place of a password. Whoever looks for secrets in the clear can look for it. */
export const REGISTRY_PASSWORD = "stand-in-registry-password";

/** What `awsx.ecr.Repository` (3.9) makes: the repository, and a lifecycle policy, which it hangs below the stack. */
export function composeRepository(name: string, inputs: Properties): Composition {
  const { lifecyclePolicy, ...repository } = inputs;
  const lowerCase = name.toLowerCase();
  const { rules, skip } = (lifecyclePolicy ?? {}) as {
    readonly rules?: readonly Properties[];
    readonly skip?: boolean;
  };
  const policy = {
    key: "lifecycle",
    type: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    name: lowerCase,
    parent: BELOW_STACK,
    dependsOn: [],
    inputs: { repository: new Reference("repository", "name"), policy: JSON.stringify(lifecycleRules(rules)) },
  } as const;
  return {
    children: [
      {
        key: "repository",
        type: "aws:ecr/repository:Repository",
        name: lowerCase,
        parent: BELOW_COMPONENT,
        dependsOn: [],
        inputs: repository,
      },
      ...(skip === true ? [] : [policy]),
    ],
    outputs: {
      url: new Reference("repository", "repositoryUrl"),
      repository: new Reference("repository"),
      ...(skip === true ? {} : { lifecyclePolicy: new Reference("lifecycle") }),
    },
  };
}

/** Rules in the form of ECR ("Lifecycle policy parameters"). The one for any image must come last. */
function lifecycleRules(
  rules: readonly Properties[] = [
    { description: "remove untagged images", tagStatus: "untagged", maximumNumberOfImages: 1 },
  ],
): Properties {
  const ordered = [
    ...rules.filter(({ tagStatus }) => tagStatus !== "any"),
    ...rules.filter(({ tagStatus }) => tagStatus === "any"),
  ];
  return { rules: ordered.map((rule, index) => lifecycleRule(rule, index + 1)) };
}

function lifecycleRule(rule: Properties, rulePriority: number): Properties {
  const tags = rule.tagStatus === "tagged" ? { tagPrefixList: rule.tagPrefixList } : {};
  const count =
    rule.maximumNumberOfImages !== undefined
      ? { countType: "imageCountMoreThan", countNumber: rule.maximumNumberOfImages }
      : { countType: "sinceImagePushed", countNumber: rule.maximumAgeLimit, countUnit: "days" };
  return {
    rulePriority,
    ...(rule.description === undefined ? {} : { description: rule.description }),
    selection: { tagStatus: rule.tagStatus, ...tags, ...count },
    action: { type: "expire" },
  };
}

/**
 * What `awsx.ecr.Image` (3.9) makes: an image that is built and pushed, named by its tag, so that a new tag is a new resource. As
 * long as the repository is not known, which is so in the preview of a new stack, there is no child at all.
 */
export function composeImage(name: string, inputs: Properties): Composition {
  const { repositoryUrl, imageTag } = inputs;
  if (typeof imageTag !== "string")
    throw new Error(`awsx.ecr.Image ${name}: composed here with an imageTag only: add the rest to local/awsx/ecr.ts`);
  if (typeof repositoryUrl !== "string" || repositoryUrl === UNKNOWN)
    return { children: [], outputs: { imageUri: UNKNOWN } };
  const reference = `${repositoryUrl}:${imageTag}`;
  const registry = String(repositoryUrl.split("/")[0]);
  return {
    children: [
      {
        key: "image",
        type: "docker-build:index:Image",
        name: imageTag,
        parent: BELOW_COMPONENT,
        dependsOn: [],
        inputs: {
          tags: [reference],
          buildOnPreview: true,
          cacheFrom: [{ registry: { ref: reference } }],
          cacheTo: [{ inline: {} }],
          context: { location: inputs.context ?? "." },
          dockerfile: { location: inputs.dockerfile },
          platforms: inputs.platform === undefined ? [] : [inputs.platform],
          push: true,
          registries: [{ address: `https://${registry}`, username: "AWS", password: secret(REGISTRY_PASSWORD) }],
        },
      },
    ],
    outputs: { imageUri: new Reference("image", "digest", `${repositoryUrl}@`) },
  };
}
