"""What the public checkers say: all of them, since each lets pass what another finds.

sam validate alone expands the template and so finds a wrong event; cfn-lint alone
knows the resources' schemas, and sees the expanded ones only if they are shown to it.
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import template
import yaml


def run(*command, folder=template.ROOT):
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run([tool, *command[1:]], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


class Linters(unittest.TestCase):
    def test_sam_validate(self):
        status, output = run("sam", "validate", "--template", "template.yaml")
        self.assertEqual(status, 0, output)
        self.assertIn("basic SAM Validation", output, "samconfig.toml must not turn --lint on: it replaces this check")

    def test_sam_validate_lint(self):
        status, output = run("sam", "validate", "--lint", "--template", "template.yaml")
        self.assertEqual(status, 0, output)

    def test_cfn_lint_warnings_included(self):
        status, output = run("cfn-lint", "template.yaml")
        self.assertEqual(status, 0, output)

    def test_cfn_lint_of_the_expanded_template(self):
        for parameters in ({}, {"Stage": "prod", "ScheduleState": "ENABLED", "AllowProbe": "true"}):
            with self.subTest(parameters), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(template.expanded_text(**parameters))
                file.flush()
                # W7001: SAM has put in what the mapping says, so nobody uses it any more.
                status, output = run("cfn-lint", "--ignore-checks", "W7001", "--", file.name)
                self.assertEqual(status, 0, output)

    def checkov(self, folder=template.ROOT, *flags):
        """What checkov reports. It reads the .checkov.yaml of the folder that it runs in."""
        status, output = run("checkov", "--file", template.PATH, "--output", "json", *flags, folder=folder)
        report = json.loads(output[output.index("{"):])["results"]
        self.assertGreater(len(report["passed_checks"]), 50, "checkov looked at less than it did")
        self.assertEqual(report.get("parsing_errors", []), [])
        return status, report

    def test_checkov(self):
        status, report = self.checkov()
        failed = [f"{c['check_id']} {c['resource']}: {c['check_name']}" for c in report["failed_checks"]]
        self.assertEqual((status, failed), (0, []))

        # A suppression has its reason beside it, and still suppresses something.
        used = {(c["resource"].split(".")[-1], c["check_id"]) for c in report["skipped_checks"]}
        said = set()
        for name, resource in template.written()["Resources"].items():
            for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                said.add((name, skip["id"]))
                self.assertGreater(len(skip.get("comment", "")), 20, f"{name}: {skip['id']} has no reason")
        self.assertEqual(said, used)

    def test_what_checkov_leaves_out_everywhere(self):
        text = (template.ROOT / ".checkov.yaml").read_text()
        left_out = yaml.safe_load(text)["skip-check"]
        self.assertEqual(left_out, re.findall(r"^  # .{20,}\n  - (CKV_AWS_\d+)$", text, re.MULTILINE), "each has its reason above it")
        with tempfile.TemporaryDirectory() as folder:  # without that file
            _, report = self.checkov(folder, "--framework", "cloudformation", "--skip-download")
        self.assertEqual({c["check_id"] for c in report["failed_checks"]}, set(left_out), "each still leaves something out")
