"""Alarms and the dashboard name metrics that exist, of resources that exist."""

import json
import re
import unittest

import template
from test_functions import functions

# What internal/emf writes: dimension → metrics.
OWN = {
    "Function": {"Runs", "Decisions", "QuorumFailures", "NotStored", "BudgetRefusals", "CostUSD", "OverheadMs", "LatencyMs",
                 "ScheduledRuns", "SeriesDecided", "SeriesSkipped", "SeriesFailed", "SeriesNotReached", "Settled", "Directional", "Hits", "NetReturn"},
    "Provider": {"Calls", "Failures", "AuthenticationFailures", "ProviderLatencyMs", "ProviderCostUSD"},
}
# What AWS writes: namespace → dimensions, metrics.
AWS = {
    "AWS/ApiGateway": (("ApiName", "Stage"), {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}),
    "AWS/Lambda": (("FunctionName",), {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}),
    "AWS/SQS": (("QueueName",), {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
}

# Alarm → the metrics it looks at.
ALARMS = {
    "ApiServerErrorAlarm": {"5XXError"},
    "FunctionErrorAlarm": {"Errors"},
    "ThrottleAlarm": {"Throttles"},
    "SlowRunAlarm": {"Duration"},
    "QuorumFailureAlarm": {"QuorumFailures"},
    "NotStoredAlarm": {"NotStored"},
    "ProviderAuthenticationAlarm": {"AuthenticationFailures"},
    "DailyCostAlarm": {"CostUSD"},
    "BudgetAlarm": {"BudgetRefusals"},
    "DeadLetterAlarm": {"ApproximateNumberOfMessagesVisible"},
    "NoScheduledRunAlarm": {"ScheduledRuns"},
    "SeriesFailedAlarm": {"SeriesFailed"},
}


def metrics(alarm):
    """(namespace, metric, {dimension: value}) of every metric of an alarm. A query looks at
    the metric of every provider, whoever they are."""
    found = [q["MetricStat"]["Metric"] for q in alarm.get("Metrics", []) if "MetricStat" in q]
    for query in alarm.get("Metrics", []):
        if asked := re.fullmatch(r'SELECT SUM\((\w+)\) FROM SCHEMA\("(.+)", (\w+)\)', query.get("Expression", "")):
            found.append({"Namespace": asked[2], "MetricName": asked[1], "Dimensions": [{"Name": asked[3], "Value": "every"}]})
    if "MetricName" in alarm:
        found.append(alarm)
    return [(m["Namespace"], m["MetricName"], {d["Name"]: d["Value"] for d in m["Dimensions"]}) for m in found]


class Alarms(unittest.TestCase):
    def alarms(self, **parameters):
        return {n: a["Properties"] for n, a in template.of_type("AWS::CloudWatch::Alarm", **parameters).items()}

    def assertExists(self, namespace, metric, dimensions):
        if namespace == "ThalasConsensus":
            ((dimension, value),) = dimensions.items()
            self.assertIn(metric, OWN[dimension])
            self.assertIn(value, {"Function": set(functions()), "Provider": {"every"}}[dimension])
            return
        names, known = AWS[namespace]
        self.assertIn(metric, known)
        self.assertEqual(tuple(dimensions), names)
        values = {"ApiName": {template.properties("Api")["Name"]}, "Stage": {"dev"}, "FunctionName": set(functions()),
                  "QueueName": {q + ".QueueName" for q in template.of_type("AWS::SQS::Queue")}}
        for name, value in dimensions.items():
            self.assertIn(value, values[name])

    def test_each_looks_at_its_metric_and_tells_the_topic(self):
        alarms = self.alarms(ScheduleState="ENABLED")
        self.assertEqual({n: {m for _, m, _ in metrics(a)} for n, a in alarms.items()}, ALARMS)
        for name, alarm in alarms.items():
            with self.subTest(name):
                self.assertEqual(alarm["AlarmActions"], ["AlarmTopic"])
                self.assertTrue(alarm["AlarmDescription"])
                for metric in metrics(alarm):
                    self.assertExists(*metric)

    def test_sums_are_of_what_they_list(self):
        for name, alarm in self.alarms().items():
            parts = {q["Id"]: q for q in alarm.get("Metrics", [])}
            if len(parts) < 2:
                continue
            with self.subTest(name):
                total = parts.pop("all")
                self.assertEqual(set(re.findall(r"FILL\((\w+), 0\)", total["Expression"])), set(parts))
                self.assertTrue(all(q["ReturnData"] is False for q in parts.values()))
                self.assertEqual(len({q["MetricStat"]["Period"] for q in parts.values()}), 1)

    def test_no_provider_is_named(self):
        # So that another one is watched without a change here.
        (query,) = self.alarms(MetricsNamespace="my-own/name")["ProviderAuthenticationAlarm"]["Metrics"]
        self.assertEqual(query["Expression"], 'SELECT SUM(AuthenticationFailures) FROM SCHEMA("my-own/name", Provider)')
        self.assertEqual(query["Period"], 300, "a query has no period of a metric's to take")
        self.assertNotRegex(template.properties("Dashboard")["DashboardBody"], "(?i)anthropic|openai|gemini|grok")

    def test_all_functions_are_watched(self):
        def watched(name, dimension):
            return {d[dimension] for _, _, d in metrics(self.alarms()[name])}

        self.assertEqual(watched("ThrottleAlarm", "FunctionName"), set(functions()))
        # The scheduled function fails to be tried again, which is no alarm yet.
        self.assertEqual(watched("FunctionErrorAlarm", "FunctionName"), set(functions()) - {"ScheduledConsensusFunction"})
        for name in ("QuorumFailureAlarm", "NotStoredAlarm", "DailyCostAlarm", "BudgetAlarm"):
            self.assertEqual(watched(name, "Function"), {"ConsensusFunction", "ScheduledConsensusFunction"})

    def test_a_slow_run_is_told_before_the_timeout(self):
        alarm = self.alarms()["SlowRunAlarm"]
        f = functions()["ConsensusFunction"]
        self.assertEqual(alarm["ExtendedStatistic"], "p99")
        self.assertLess(alarm["Threshold"], f["Timeout"] * 1000)
        # A run that waits for a hanging provider is no news.
        self.assertGreater(alarm["Threshold"], (float(f["Environment"]["Variables"]["TIMEOUT_SECONDS"]) + 1) * 1000)

    def test_the_cost_alarm_is_before_the_budget(self):
        values = template.parameter_values()
        self.assertEqual(self.alarms()["DailyCostAlarm"]["Threshold"], values["DailyCostAlarmUsd"])
        self.assertLess(float(values["DailyCostAlarmUsd"]), float(values["DailyBudgetUsd"]))

    def test_silence_of_the_schedule_is_an_alarm_only_while_it_is_on(self):
        self.assertNotIn("NoScheduledRunAlarm", self.alarms())
        alarm = self.alarms(ScheduleState="ENABLED")["NoScheduledRunAlarm"]
        self.assertEqual((alarm["TreatMissingData"], alarm["ComparisonOperator"]), ("breaching", "LessThanThreshold"))
        for name, other in self.alarms().items():
            self.assertEqual(other["TreatMissingData"], "notBreaching", name)

    def test_mail_is_a_choice(self):
        self.assertEqual(template.of_type("AWS::SNS::Subscription"), {})
        (mail,) = template.of_type("AWS::SNS::Subscription", AlarmEmail="who@example.org").values()
        self.assertEqual(mail["Properties"]["Endpoint"], "who@example.org")

    def test_the_dashboard_shows_what_exists(self):
        body = json.loads(template.properties("Dashboard")["DashboardBody"])
        seen = set()
        for widget in body["widgets"]:
            for namespace, *rest in widget["properties"]["metrics"]:
                if rest:
                    metric, *names = (r for r in rest if isinstance(r, str))
                    dimensions = dict(zip(names[::2], names[1::2]))
                else:  # a search
                    form = r"""SEARCH\('\{"(.+)",(Provider)\} MetricName="(\w+)"', '(Sum|p90)'\)"""
                    namespace, dimension, metric, _ = re.fullmatch(form, namespace["expression"]).groups()
                    dimensions = {dimension: "every"}
                self.assertExists(namespace, metric, dimensions)
                seen.add(metric)
        self.assertLessEqual({"Runs", "QuorumFailures", "CostUSD", "Failures", "5XXError", "ScheduledRuns", "Settled", "Directional", "Hits", "NetReturn"}, seen)
