import { above, alarming, atLeast, calm, forMinutes, type Metric, type MetricAlarm, outlasting } from "./alarm.ts";
import { LOG_METRIC, rotationWindowSeconds, type Sizes, type Subject } from "./subject.ts";

/** Requests in a minute below which a share of failures means nothing. */
const ENOUGH_REQUESTS = 20;

/** Slowest answer of the fastest 99 %, in seconds. */
const SLOW_ANSWER_SECONDS = 1;

/** A metric of the load balancer. */
export function balancerMetric({ loadBalancerSuffix }: Subject, name: string, stat: Metric["stat"] = "Sum"): Metric {
  return { namespace: "AWS/ApplicationELB", name, dimensions: { LoadBalancer: loadBalancerSuffix }, stat };
}

/** A metric of Container Insights, which the cluster switches on. */
export function insightsMetric({ clusterName, serviceName }: Subject, name: string): Metric {
  return {
    namespace: "ECS/ContainerInsights",
    name,
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    stat: "Average",
  };
}

/** The count of lines that say that a caller got no connection. */
export function logMetric({ logNamespace }: Subject): Metric {
  return { namespace: logNamespace, name: LOG_METRIC, dimensions: {}, stat: "Sum" };
}

/** Alarms on what users and the scheduler see of the service. */
export function serviceAlarms(subject: Subject, sizes: Sizes): readonly MetricAlarm[] {
  const beyondRotation = outlasting(rotationWindowSeconds(sizes));
  return [
    {
      key: "db-auth-errors",
      side: "service",
      meaning: "Callers in the service got no database connection, after all retries",
      unit: "errors a minute",
      metrics: { errors: logMetric(subject) },
      evaluation: { periodSeconds: 60, datapoints: 2, evaluationPeriods: 5 },
      threshold: atLeast(1, "each is a request that failed; the retries before it have outlasted a rotation already"),
      missing: calm("a service without requests logs nothing"),
    },
    {
      key: "server-errors",
      side: "service",
      meaning: "Users are answered with 5xx, by the service or by the load balancer",
      unit: "% of requests",
      metrics: {
        requests: balancerMetric(subject, "RequestCount"),
        service: balancerMetric(subject, "HTTPCode_Target_5XX_Count"),
        balancer: balancerMetric(subject, "HTTPCode_ELB_5XX_Count"),
      },
      // RequestCount leaves out what no target could be chosen for ("CloudWatch metrics for your Application Load Balancer").
      expression:
        `IF(FILL(requests, 0) + FILL(balancer, 0) >= ${ENOUGH_REQUESTS}, ` +
        "100 * (FILL(service, 0) + FILL(balancer, 0)) / (FILL(requests, 0) + FILL(balancer, 0)), 0)",
      evaluation: beyondRotation,
      threshold: above(1, "one request in a hundred; with fewer than twenty a minute a single one would be more"),
      missing: calm("nobody asked"),
    },
    {
      key: "slow-answers",
      side: "service",
      meaning: "Users wait for answers, for longer than a rotation takes",
      unit: "s, p99",
      metrics: { wait: balancerMetric(subject, "TargetResponseTime", "p99") },
      evaluation: beyondRotation,
      threshold: above(SLOW_ANSWER_SECONDS, "answers take milliseconds; in a rotation some wait, and none fails"),
      missing: calm("nobody asked"),
    },
    {
      key: "tasks-missing",
      side: "service",
      meaning: "Fewer tasks run than should",
      unit: "tasks",
      metrics: {
        desired: insightsMetric(subject, "DesiredTaskCount"),
        running: insightsMetric(subject, "RunningTaskCount"),
      },
      expression: "desired - running",
      evaluation: forMinutes(15),
      threshold: atLeast(1, "starting a task, with its migration, takes a few minutes"),
      missing: alarming("a service that reports no tasks is no better than one that lacks them"),
    },
  ];
}
