import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { applicationBase, type BaseImage, bundleApplication } from "./bundle.ts";
import type { CpuArchitecture } from "./service/arguments.ts";

/** Docker's names of the processors. */
const PLATFORM: Readonly<Record<CpuArchitecture, string>> = { ARM64: "linux/arm64", X86_64: "linux/amd64" };

/** Enough to roll back to; never awsx's default of one untagged image, which would be the running one. */
const KEPT_IMAGES = 20;

/**
 * Days that manifests without a tag are kept. A build pushes them beside its tagged index, which names them, and ECR expires
 * nothing that an index names ("Lifecycle policy evaluation rules"); so what expires is what an expired image left behind, never
 * the platform image of one that is kept. What runs is pinned by the digest of a tagged index, and no tag ever moves off one.
 */
const UNTAGGED_DAYS = 14;

/** Start of every tag, by which the lifecycle policy knows images from what buildx pushes beside them. */
const TAG_PREFIX = "app-";

export interface ApplicationImageArgs {
  /** Whether the repository refuses to be deleted while it holds images. */
  readonly protected: boolean;
  /** Processor of the image's platform. A change builds another image. */
  readonly cpuArchitecture: CpuArchitecture;
  /**
   * Digest (`sha256:…`) of an image that is in the repository already: then nothing is bundled, built or pushed. Undefined, the
   * default, builds the image here.
   */
  readonly digest?: string | undefined;
}

/**
 * The application's image, in the stack's own repository: bundled here, built and pushed by awsx, or one that was pushed before,
 * by its digest. The tag of a build is a hash of every input, so unchanged sources push nothing and changed ones never move a
 * tag, which the immutable repository would refuse.
 */
export class ApplicationImage extends pulumi.ComponentResource {
  /** The image, pinned by digest. */
  readonly reference: pulumi.Output<string>;
  /** The digest alone, `sha256:…`: what another stack is told to run the same image. */
  readonly digest: pulumi.Output<string>;
  /** Where images are pushed to, without a tag. */
  readonly repositoryUrl: pulumi.Output<string>;
  readonly repositoryArn: pulumi.Output<string>;
  readonly base: BaseImage;

  constructor(name: string, args: ApplicationImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:ApplicationImage", name, {}, opts);
    const repository = new awsx.ecr.Repository(
      name,
      {
        imageTagMutability: "IMMUTABLE",
        forceDelete: !args.protected,
        imageScanningConfiguration: { scanOnPush: true },
        lifecyclePolicy: {
          rules: [
            {
              description: `Keep the last ${KEPT_IMAGES}`,
              tagStatus: "tagged",
              tagPrefixList: [TAG_PREFIX],
              maximumNumberOfImages: KEPT_IMAGES,
            },
            {
              description: `Expire what no tag leads to after ${UNTAGGED_DAYS} days`,
              tagStatus: "untagged",
              maximumAgeLimit: UNTAGGED_DAYS,
            },
          ],
        },
      },
      // Not retained: a repository that holds images refuses to go, and each of them can be built again.
      { parent: this, transforms: args.protected ? [protectRepository] : [] },
    );
    this.repositoryUrl = repository.url;
    this.repositoryArn = repository.repository.arn;
    if (args.digest === undefined) {
      const built = this.#build(name, args.cpuArchitecture);
      this.reference = built.reference;
      this.base = built.base;
    } else {
      this.reference = pulumi.interpolate`${this.repositoryUrl}@${args.digest}`;
      this.base = applicationBase();
    }
    this.digest = this.reference.apply((reference) => reference.slice(reference.indexOf("@") + 1));
    this.registerOutputs({ reference: this.reference, repositoryArn: this.repositoryArn });
  }

  #build(name: string, architecture: CpuArchitecture): { reference: pulumi.Output<string>; base: BaseImage } {
    const bundle = bundleApplication();
    const image = new awsx.ecr.Image(
      name,
      {
        repositoryUrl: this.repositoryUrl,
        context: bundle.context,
        dockerfile: `${bundle.context}/Dockerfile`,
        platform: PLATFORM[architecture],
        imageTag: `${TAG_PREFIX}${bundle.hash}-${architecture.toLowerCase().replace("_", "-")}`,
      },
      { parent: this },
    );
    return { reference: image.imageUri, base: bundle.base };
  }
}

/**
 * Protects the repository that awsx makes, and nothing beside it: said of the component it would hold for the lifecycle policy too,
 * which the provider replaces at each change.
 */
export function protectRepository(
  args: Pick<pulumi.ResourceTransformArgs, "type" | "props" | "opts">,
): pulumi.ResourceTransformResult | undefined {
  if (args.type !== "aws:ecr/repository:Repository") return undefined;
  return { props: args.props, opts: { ...args.opts, protect: true } };
}
