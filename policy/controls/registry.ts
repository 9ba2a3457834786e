import { type Control, every, mustBeOneOf, unless } from "../control.ts";
import { UnexpectedForm } from "../fields.ts";
import type { Resource } from "../stack.ts";

const REPOSITORY = "aws:ecr/repository:Repository";

/** Where images are kept. */
export const REGISTRY_CONTROLS: readonly Control[] = [
  {
    id: "registry-scans-images",
    title: "Images are scanned when they are pushed",
    sources: ["ECR.1", "CKV_AWS_163", "AVD-AWS-0030", "ecr_repositories_scan_images_on_push_enabled"],
    severity: "high",
    selects: every(REPOSITORY),
    check: ({ fields }) => {
      const scanning = fields.object("imageScanningConfiguration");
      return unless(
        scanning.isTrue("scanOnPush"),
        "imageScanningConfiguration.scanOnPush",
        scanning.value("scanOnPush"),
        "true",
      );
    },
  },
  {
    id: "registry-immutable-tags",
    title: "A tag never moves to another image",
    sources: ["ECR.2", "CKV_AWS_51", "AVD-AWS-0031", "ecr_repositories_tag_immutability"],
    severity: "medium",
    selects: every(REPOSITORY),
    check: mustBeOneOf("imageTagMutability", ["IMMUTABLE"]),
  },
  {
    id: "registry-lifecycle",
    title: "Old images expire, and the running one does not",
    sources: ["ECR.3", "ecr_repositories_lifecycle_policy_enabled"],
    severity: "low",
    selects: every(REPOSITORY),
    check: ({ fields }, stack) => {
      const policies = stack
        .ofType("aws:ecr/lifecyclePolicy:LifecyclePolicy")
        .filter((policy) => policy.fields.text("repository") === fields.text("name"));
      if (policies.length === 0) return ["no lifecycle policy is declared for it"];
      return policies.flatMap(keepsFew);
    },
  },
];

/** Fewer images than these may not hold the one that runs while others are pushed. */
const LEAST_KEPT = 5;

function keepsFew({ fields }: Resource): readonly string[] {
  const rules = (fields.json("policy") as { readonly rules?: unknown } | undefined)?.rules;
  if (!Array.isArray(rules)) throw new UnexpectedForm("policy has no rules");
  return rules.flatMap(
    (rule: { readonly selection?: { readonly countType?: string; readonly countNumber?: number } }) => {
      const { countType, countNumber = 0 } = rule.selection ?? {};
      const enough = countType !== "imageCountMoreThan" || countNumber >= LEAST_KEPT;
      return unless(enough, "countNumber of a lifecycle rule", countNumber, `${LEAST_KEPT} or more`);
    },
  );
}
