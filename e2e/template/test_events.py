"""events/ and samconfig.toml fit the template."""

import json
import tomllib
import unittest

import template
from samcli.cli.types import CfnParameterOverridesType
from test_api import ROUTES


def event(path):
    return json.loads(path.read_text())


class Events(unittest.TestCase):
    files = sorted((template.ROOT / "events").glob("*.json"))

    def test_each_request_is_one_that_is_routed(self):
        reached = {}
        for path in self.files:
            e = event(path)
            if path.stem == "schedule":
                continue
            with self.subTest(path.name):
                reached[path.stem] = ROUTES[e["httpMethod"], e["resource"]]
                self.assertEqual(e["requestContext"]["resourcePath"], e["resource"])
                self.assertEqual(e["requestContext"]["httpMethod"], e["httpMethod"])
                self.assertEqual(e["requestContext"]["path"], "/dev" + e["path"])
                self.assertEqual(e["path"], e["resource"].format(**(e["pathParameters"] or {})))
                self.assertIn("planted", e["headers"]["x-api-key"])
                self.assertEqual({k: v[-1] for k, v in e["multiValueHeaders"].items()}, e["headers"])
                multi = e["multiValueQueryStringParameters"]
                self.assertEqual(multi and {k: v[-1] for k, v in multi.items()}, e["queryStringParameters"])
                self.assertEqual(e["body"] is not None, e["httpMethod"] == "POST")
                if e["body"]:
                    self.assertEqual(json.loads(e["body"])["pair"], "BTC/USDT")
        self.assertEqual(set(reached.values()), set(ROUTES.values()))

    def test_the_scheduled_event_is_what_the_schedule_sends(self):
        (schedule,) = template.of_type("AWS::Scheduler::Schedule").values()
        text = schedule["Properties"]["Target"]["Input"]
        sent = json.loads(text.replace("<aws.scheduler.scheduled-time>", "2026-11-23T05:01:00Z"))
        self.assertEqual(event(template.ROOT / "events/schedule.json"), sent)


class Settings(unittest.TestCase):
    def test_every_environment_gives_parameters_that_exist(self):
        config = tomllib.loads((template.ROOT / "samconfig.toml").read_text())
        stages = {}
        for name in ("default", "dev", "prod"):
            # A copy of the sources would take .tools along, a gigabyte for each function.
            self.assertIs(config[name]["build"]["parameters"]["build_in_source"], True)
            deploy = config[name]["deploy"]["parameters"]
            given = [p for p in deploy["parameter_overrides"] if not p.startswith("file://")]
            self.assertEqual(deploy["parameter_overrides"][-1], "file://.aws-sam/release.yaml")
            values = CfnParameterOverridesType().convert(given, None, None)
            template.parameter_values(**values)
            stages[name] = values["Stage"], deploy["stack_name"]
            self.assertEqual(deploy["capabilities"], "CAPABILITY_IAM")
        self.assertEqual(stages, {"default": ("dev", "thalas"), "dev": ("dev", "thalas-dev"), "prod": ("prod", "thalas-prod")})
        self.assertIs(config["prod"]["deploy"]["parameters"]["confirm_changeset"], True)
