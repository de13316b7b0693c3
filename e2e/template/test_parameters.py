"""tools/parameters.sh: a deployment loses no parameter without a word."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import template

# A stack from before Settings, as the AWS command line lists it.
OLD_STACK = """\
Stage\tprod
GrokEnabled\ttrue
GrokModel\t
GrokMaxTokens\t2048
OpenAIBaseUrl\thttps://proxy.example.com/v1
BinanceUSBaseUrl\t
ProviderTimeoutSeconds\t24
DailyBudgetUsd\t5
"""


class Parameters(unittest.TestCase):
    def run_it(self, *, stack="", failure="", samconfig=None, moved=""):
        with tempfile.TemporaryDirectory() as folder:
            # In the place of the AWS command line: it says what that would say about the stack.
            aws = Path(folder) / "aws"
            aws.write_text('#!/bin/sh\nif [ -n "$FAILURE" ]; then echo "$FAILURE" >&2; exit 254; fi\nprintf %s "$STACK"\n')
            aws.chmod(0o755)
            env = {"PATH": f"{folder}:{os.environ['PATH']}", "STACK": stack, "FAILURE": failure, "MOVED": moved}
            if samconfig is not None:
                (Path(folder) / "samconfig.toml").write_text(samconfig)
                env["SAMCONFIG"] = f"{folder}/samconfig.toml"
            done = subprocess.run([template.ROOT / "tools/parameters.sh", "prod", "thalas-prod"], env=env,
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def test_a_stack_like_the_template_passes(self):
        now = "".join(f"{name}\tx\n" for name in template.written()["Parameters"])
        self.assertEqual(self.run_it(stack=now), (0, ""))

    def test_the_first_deployment_passes(self):
        said = "An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id thalas-prod does not exist"
        self.assertEqual(self.run_it(failure=said), (0, ""))

    def test_a_stack_that_cannot_be_read_stops_it(self):
        status, said = self.run_it(failure="Unable to locate credentials")
        self.assertEqual((status, said), (1, "Unable to locate credentials\n"))

    def test_a_stack_with_old_parameters_stops_it(self):
        status, said = self.run_it(stack=OLD_STACK)
        self.assertEqual(status, 1)
        self.assertIn("\nGROK_ENABLED=true GROK_MAX_TOKENS=2048 OPENAI_BASE_URL=https://proxy.example.com/v1\n", said)
        self.assertIn("\nProviderTimeoutSeconds\t24\n", said)
        self.assertNotIn("DailyBudgetUsd", said)
        self.assertIn("make deploy ENV=prod MOVED=yes", said)

    def test_until_somebody_says_that_they_are_moved(self):
        self.assertEqual(self.run_it(stack=OLD_STACK, moved="yes"), (0, ""))

    def test_an_unknown_parameter_in_samconfig_stops_it(self):
        for given in ('"GrokEnabled=true"', "{ GrokEnabled = 'true' }", '{GrokEnabled="true"}', '"Stage=prod GrokEnabled=true"'):
            for moved in ("", "yes"):
                text = f'[prod.deploy.parameters]\nparameter_overrides = [\n  "Stage=prod",\n  {given},\n]\n'
                status, said = self.run_it(samconfig=text, moved=moved)
                self.assertEqual(status, 1, given)
                self.assertIn("samconfig.toml gives prod parameters that template.yaml does not have: GrokEnabled\n", said)

    def test_what_does_not_fit_into_an_environment_stops_it(self):
        for providers, settings, stops in ((2400, 400, False), (2400, 700, True)):
            text = "[prod.deploy.parameters]\nparameter_overrides = [\n" \
                f"  {{ Providers = '{'x' * providers}' }},\n  \"Settings={'y' * settings}\",\n]\n[other]\nx = \"Settings={'z' * 3000}\"\n"
            for moved in ("", "yes"):
                status, said = self.run_it(samconfig=text, moved=moved)
                self.assertEqual((status, "Lambda has room for 2900: shorten them" in said), (int(stops), stops), said)

    def test_what_samconfig_may_give(self):
        text = """\
[dev.deploy.parameters]
parameter_overrides = ["Unknown=of another environment"]
[prod.deploy.parameters]
stack_name = "thalas-prod"
parameter_overrides = [
  "Stage=prod", # "Unknown=commented out"
  { Settings = "GROK_ENABLED=true GROK_MODEL=grok-4.7" },
  { ScheduleExpression = "cron(1/15 * * * ? *)" },
  "file://.aws-sam/release.yaml",
]
[other]
x = "Unknown=too"
"""
        self.assertEqual(self.run_it(samconfig=text), (0, ""))
