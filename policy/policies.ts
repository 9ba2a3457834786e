import type {
  EnforcementLevel,
  PolicyResource,
  ReportViolation,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Control } from "./control.ts";
import { CONTROLS } from "./controls.ts";
import { evaluateControl, evaluateControls, type Finding, fails } from "./evaluate.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { Fields } from "./fields.ts";
import type { Exception } from "./register.ts";
import { label, type Resource, Stack, type Tier } from "./stack.ts";
import { tierByTags } from "./tier.ts";

/** What the policies of a stack are made from. */
export interface PolicyOptions {
  /** Default what the tags of the stack's provider say. */
  readonly tier?: Tier;
  readonly controls?: readonly Control[];
  readonly exceptions?: readonly Exception[];
  /** The day that review dates are compared with. Default now. */
  readonly today?: Date;
}

const LEVEL: EnforcementLevel = "mandatory";

const AWS_RESOURCE = /^aws:/;
const AWS_PROVIDER = "pulumi:providers:aws";

/**
 * The controls as policies of CrossGuard. Each is about the whole stack, since many compare resources; a violation names the resource.
 *
 * A control that must know what only the deployment tells violates nothing: it throws what the SDK threw at it, which the SDK reports
 * as an advice that the policy could not run in this preview.
 */
export function stackPolicies(options: PolicyOptions = {}): StackValidationPolicy[] {
  const { tier, controls = CONTROLS, exceptions = EXCEPTIONS, today = new Date() } = options;
  const ofControls = controls.map((control): StackValidationPolicy => {
    const { id, title, severity, sources } = control;
    return {
      name: id,
      description: `${title} (${sources.join(", ")}).`,
      enforcementLevel: LEVEL,
      severity,
      validateStack: (args, report) => {
        const findings = evaluateControl(stackOf(args, tier), control, exceptions, today);
        for (const finding of findings.filter(fails)) reportFinding(finding, report);
        const unknown = findings.find(({ status, cause }) => status === "unknown" && cause !== undefined);
        if (unknown !== undefined) throw unknown.cause;
      },
    };
  });
  const register: StackValidationPolicy = {
    name: "exceptions-current",
    description: "Every registered exception is current, complete and needed.",
    enforcementLevel: LEVEL,
    severity: "high",
    validateStack: (args, report) => {
      const { registerMistakes } = evaluateControls(stackOf(args, tier), { controls, exceptions, today });
      for (const mistake of registerMistakes) report(mistake);
    },
  };
  return [...ofControls, register];
}

function reportFinding({ resource, says }: Finding, report: ReportViolation): void {
  for (const violation of says) {
    report(resource === undefined ? violation : `${label(resource)}: ${violation}.`, resource?.urn || undefined);
  }
}

function stackOf({ resources, notApplicable }: StackValidationArgs, tier: Tier | undefined): Stack {
  // So it is once everything is destroyed.
  if (!resources.some(({ type }) => AWS_RESOURCE.test(type))) notApplicable("the stack has no resource of AWS");
  const providers = resources.flatMap(({ type, provider }) =>
    AWS_RESOURCE.test(type) && provider?.type === AWS_PROVIDER ? [new Fields(provider.props)] : [],
  );
  return new Stack(tier ?? tierByTags(providers), resources.map(resourceOf));
}

function resourceOf({ urn, type, name, props }: PolicyResource): Resource {
  return { urn, type, name, fields: new Fields(props) };
}
