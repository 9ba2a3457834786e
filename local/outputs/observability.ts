import { arn, globalArn, hex } from "../place.ts";
import { type ComputeOutputs, named, text, uuid } from "./computed.ts";

/** What AWS computes for alarms, rules, topics and dashboards. */
export const OBSERVABILITY_OUTPUTS: Readonly<Record<string, ComputeOutputs>> = {
  "aws:cloudwatch/dashboard:Dashboard": ({ inputs }, place) => {
    const name = text(inputs.dashboardName);
    // Dashboards have no region.
    return { id: name, outputs: { dashboardArn: globalArn(place, "cloudwatch", `dashboard/${name}`) } };
  },
  "aws:cloudwatch/eventRule:EventRule": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "events", `rule/${name}`), eventBusName: "default" } };
  },
  "aws:cloudwatch/eventTarget:EventTarget": (made) => {
    const targetId = text(made.inputs.targetId ?? `${made.name}-${hex(made.name, 7)}`);
    return { id: `${text(made.inputs.rule)}-${targetId}`, outputs: { targetId, eventBusName: "default" } };
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": (made) => {
    const name = named(made);
    return { id: name, outputs: { name } };
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": (made, place) => {
    const name = named(made);
    return { id: name, outputs: { name, arn: arn(place, "cloudwatch", `alarm:${name}`) } };
  },
  "aws:sns/topic:Topic": (made, place) => {
    const name = named(made);
    const topicArn = arn(place, "sns", name);
    return { id: topicArn, outputs: { name, arn: topicArn, owner: place.accountId } };
  },
  "aws:sns/topicPolicy:TopicPolicy": ({ inputs }, place) => ({
    id: text(inputs.arn),
    outputs: { owner: place.accountId },
  }),
  "aws:sns/topicSubscription:TopicSubscription": (made) => {
    const subscriptionArn = `${text(made.inputs.topic)}:${uuid(made)}`;
    const state = { pendingConfirmation: true, confirmationWasAuthenticated: false };
    return { id: subscriptionArn, outputs: { arn: subscriptionArn, ...state } };
  },
};
