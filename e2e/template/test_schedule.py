"""The schedule: off until somebody turns it on, never late into the next candle,
and nothing that it could not do is lost."""

import json
import unittest

import template


class Schedule(unittest.TestCase):
    def schedule(self, **parameters):
        (schedule,) = template.of_type("AWS::Scheduler::Schedule", **parameters).values()
        return schedule["Properties"]

    def test_it_is_off_by_default_and_in_utc(self):
        s = self.schedule()
        self.assertEqual(s["State"], "DISABLED")
        self.assertEqual(s["ScheduleExpressionTimezone"], "UTC")
        self.assertEqual(s["FlexibleTimeWindow"], {"Mode": "OFF"})
        self.assertNotIn("Name", s, "a name collides between two stacks")
        self.assertEqual(self.schedule(ScheduleState="ENABLED")["State"], "ENABLED")

    def test_the_event_carries_the_time_that_it_is_for(self):
        text = self.schedule()["Target"]["Input"]
        event = json.loads(text)
        self.assertEqual(event["time"], "<aws.scheduler.scheduled-time>")
        self.assertEqual(event["watchlist"], json.loads(template.parameter_values()["WatchList"]))
        longest = template.written()["Parameters"]["WatchList"]["MaxLength"]
        self.assertLess(len(text) + longest, 4096, "the scheduler takes 4 KB")

    def test_retries_end_before_the_next_candle(self):
        period = 300
        retry = self.schedule()["Target"]["RetryPolicy"]
        self.assertLess(retry["MaximumEventAgeInSeconds"], period)
        self.assertLessEqual(retry["MaximumRetryAttempts"], 2)
        (config,) = template.of_type("AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual((config["Properties"]["FunctionName"], config["Properties"]["Qualifier"]), ("ScheduledConsensusFunction", "live"))
        self.assertLess(config["Properties"]["MaximumEventAgeInSeconds"], period)
        self.assertLessEqual(config["Properties"]["MaximumRetryAttempts"], 1)

    def test_what_failed_is_kept(self):
        (config,) = template.of_type("AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual(config["Properties"]["DestinationConfig"], {"OnFailure": {"Destination": "ScheduledRunFailures.Arn"}})
        target = self.schedule()["Target"]
        self.assertEqual(target["DeadLetterConfig"], {"Arn": "UndeliveredSchedules.Arn"})
        self.assertEqual(target["RoleArn"], "ScheduleRole.Arn")
        queues = template.of_type("AWS::SQS::Queue")
        self.assertEqual(set(queues), {"UndeliveredSchedules", "ScheduledRunFailures"})
        for queue in queues.values():
            self.assertIs(queue["Properties"]["SqsManagedSseEnabled"], True)
            self.assertEqual(queue["Properties"]["MessageRetentionPeriod"], 14 * 24 * 3600)
