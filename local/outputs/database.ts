import { arn } from "../place.ts";
import { type ComputeOutputs, named, text } from "./computed.ts";

/** What AWS computes for what stands beside an instance. */
export const DATABASE_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ({ inputs }) => ({
    id: `${text(inputs.role)}/${text(inputs.policyArn)}`,
    outputs: {},
  }),
  "aws:rds/eventSubscription:EventSubscription": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "rds", `es:${name}`), customerAwsId: place.accountId } };
  },
};
