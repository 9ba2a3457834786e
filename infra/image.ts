import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { type BaseImage, bundleApplication } from "./bundle.ts";
import type { CpuArchitecture } from "./config/service.ts";

/** Docker's names of the processors. */
const PLATFORM: Readonly<Record<CpuArchitecture, string>> = { ARM64: "linux/arm64", X86_64: "linux/amd64" };

/** Enough to roll back to; never awsx's default of one untagged image, which would be the running one. */
const KEPT_IMAGES = 20;

/** Start of every tag, by which the lifecycle policy knows images from what buildx pushes beside them. */
const TAG_PREFIX = "app-";

export interface ApplicationImageArgs {
  /** Whether the repository refuses to be deleted while it holds images. */
  readonly protected: boolean;
  /** Processor of the image's platform. A change builds another image. */
  readonly cpuArchitecture: CpuArchitecture;
}

/**
 * The application's image: bundled here, built and pushed by awsx. The tag is a hash of every build input, so unchanged sources
 * push nothing and changed ones never move a tag, which the immutable repository would refuse.
 */
export class ApplicationImage extends pulumi.ComponentResource {
  /** The image, pinned by digest. */
  readonly reference: pulumi.Output<string>;
  readonly repositoryArn: pulumi.Output<string>;
  readonly base: BaseImage;

  constructor(name: string, args: ApplicationImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("passwordless-postgres:infra:ApplicationImage", name, {}, opts);
    const bundle = bundleApplication();
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
          ],
        },
      },
      { parent: this },
    );
    const image = new awsx.ecr.Image(
      name,
      {
        repositoryUrl: repository.url,
        context: bundle.context,
        dockerfile: `${bundle.context}/Dockerfile`,
        platform: PLATFORM[args.cpuArchitecture],
        imageTag: `${TAG_PREFIX}${bundle.hash}-${args.cpuArchitecture.toLowerCase().replace("_", "-")}`,
      },
      { parent: this },
    );
    this.reference = image.imageUri;
    this.repositoryArn = repository.repository.arn;
    this.base = bundle.base;
    this.registerOutputs({ reference: this.reference, repositoryArn: this.repositoryArn });
  }
}
