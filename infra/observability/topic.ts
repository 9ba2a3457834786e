import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../iam.ts";
import { FOR_PEOPLE } from "./database-events.ts";
import { topicArnOf, topicKeyPolicy, topicPolicy } from "./topic-policies.ts";

export interface TopicArgs {
  /** Name of the stack in the account: the topic's name begins with it. */
  readonly prefix: string;
  /** Alarms and instance by ARNs that are made of names, so that the topic need not wait for them. */
  readonly alarmArns: pulumi.Output<string[]>;
  readonly instanceArn: pulumi.Output<string>;
  readonly ruleArns: readonly pulumi.Output<string>[];
  /** Who is told by e-mail, after confirming; undefined leaves subscriptions to others. */
  readonly email: string | undefined;
  readonly account: pulumi.Output<Account>;
}

/**
 * Makes the topic that everything tells, under a key of its own.
 *
 * @returns the topic, and what must exist before anything that is published reaches someone
 */
export function createTopic(
  name: string,
  { prefix, alarmArns, instanceArn, ruleArns, email, account }: TopicArgs,
  parent: pulumi.Resource,
): readonly [aws.sns.Topic, readonly pulumi.Resource[]] {
  const topicName = `${prefix}-alarms`;
  const key = new aws.kms.Key(
    `${name}-alarms`,
    {
      description: "Alarms on their way to the on-call",
      enableKeyRotation: true,
      deletionWindowInDays: 30,
      policy: pulumi.jsonStringify(
        pulumi
          .all([alarmArns, instanceArn, account])
          .apply(([alarms, instance, where]) =>
            topicKeyPolicy(topicArnOf(topicName, where), { alarmArns: alarms, instanceArn: instance }, where),
          ),
      ),
    },
    { parent },
  );
  const topic = new aws.sns.Topic(
    `${name}-alarms`,
    { name: topicName, displayName: prefix.slice(0, 100), kmsMasterKeyId: key.arn },
    { parent },
  );
  const policy = new aws.sns.TopicPolicy(
    `${name}-alarms`,
    {
      arn: topic.arn,
      policy: pulumi.jsonStringify(
        pulumi
          .all([topic.arn, alarmArns, instanceArn, pulumi.all([...ruleArns]), account])
          .apply(([arn, alarms, instance, rules, where]) =>
            topicPolicy(arn, { alarmArns: alarms, instanceArn: instance, ruleArns: rules }, where),
          ),
      ),
    },
    { parent },
  );
  if (email !== undefined) {
    new aws.sns.TopicSubscription(
      `${name}-email`,
      { topic: topic.arn, protocol: "email", endpoint: email, filterPolicy: JSON.stringify(FOR_PEOPLE) },
      { parent },
    );
  }
  return [topic, [policy]];
}
