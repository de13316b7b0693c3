"""The four functions: what they are, how long they may take, how they are released."""

import unittest

import template

# Function → FUNCTION_ROLE.
ROLES = {
    "ConsensusFunction": "http",
    "ConsensusReadFunction": "http",
    "HealthFunction": None,  # the default, http
    "ScheduledConsensusFunction": "schedule",
}
RESERVE = 1.5  # seconds of a function for the vote, the write and the answer


def functions(**parameters):
    return {name: f["Properties"] for name, f in template.of_type("AWS::Lambda::Function", **parameters).items()}


class Functions(unittest.TestCase):
    def test_there_are_exactly_four(self):
        self.assertEqual(set(functions()), set(ROLES))

    def test_each_is_a_traced_go_binary_with_a_role_and_logs_of_its_own(self):
        self.assertEqual(len({f["Role"] for f in functions().values()}), len(ROLES))
        self.assertEqual(len({f["LoggingConfig"]["LogGroup"] for f in functions().values()}), len(ROLES))
        for name, f in functions().items():
            with self.subTest(name):
                self.assertEqual((f["Runtime"], f["Handler"]), ("provided.al2023", "bootstrap"))
                self.assertEqual(f["Architectures"], ["arm64"])
                self.assertEqual(f["TracingConfig"], {"Mode": "Active"})
                self.assertEqual(f["LoggingConfig"]["LogFormat"], "JSON")
                self.assertEqual(f["Environment"]["Variables"].get("FUNCTION_ROLE"), ROLES[name])
                raw = template.written()["Resources"][name]
                self.assertEqual(raw["Metadata"]["BuildMethod"], "makefile")
        self.assertEqual(template.written()["Globals"]["Function"]["CodeUri"], ".")
        for f in functions(Architecture="x86_64").values():
            self.assertEqual(f["Architectures"], ["x86_64"])

    def test_metric_lines_are_never_filtered_out(self):
        # They are INFO.
        self.assertLessEqual(set(template.written()["Parameters"]["LogLevel"]["AllowedValues"]), {"DEBUG", "INFO"})

    def test_timeouts_are_in_order(self):
        # run < function < gateway. A provider has the time of its run at most.
        for (method, path), (name, operation) in template.routes().items():
            with self.subTest(route=(method, path)):
                gateway = operation["x-amazon-apigateway-integration"]["timeoutInMillis"] / 1000
                self.assertLessEqual(gateway, 29, "a regional REST API has 29 s")
                self.assertLessEqual(functions()[name]["Timeout"], 28)
                self.assertLess(functions()[name]["Timeout"], gateway)
        for name in ("ConsensusFunction", "ScheduledConsensusFunction"):
            with self.subTest(name):
                timeout = functions()[name]["Timeout"]
                variables = functions()[name]["Environment"]["Variables"]
                run = float(variables["TIMEOUT_SECONDS"])
                self.assertLess(run, timeout - RESERVE)
                # Whatever a parameter may be set to.
                most = template.written()["Parameters"]["RunTimeoutSeconds"]["MaxValue"]
                self.assertLess(most, timeout - RESERVE)

    def test_reserved_concurrency_is_absent_unless_asked_for(self):
        for f in functions().values():
            self.assertNotIn("ReservedConcurrentExecutions", f)
        bounded = functions(ReservedConcurrency="20", ReadReservedConcurrency="5")
        got = {name: f.get("ReservedConcurrentExecutions") for name, f in bounded.items()}
        self.assertEqual(got, {"ConsensusFunction": "20", "ConsensusReadFunction": "5",
                               "HealthFunction": None, "ScheduledConsensusFunction": None})

    def test_calls_go_through_the_alias_live(self):
        aliases = template.of_type("AWS::Lambda::Alias")
        self.assertEqual({a["Properties"]["FunctionName"] for a in aliases.values()}, set(ROLES))
        for alias in aliases.values():
            self.assertEqual(alias["Properties"]["Name"], "live")
        for permission in template.of_type("AWS::Lambda::Permission").values():
            self.assertIn(permission["Properties"]["FunctionName"], aliases)

    def test_new_code_is_tried_out_in_prod_and_alarms_take_it_back(self):
        for stage, config in (("dev", "AllAtOnce"), ("prod", "Canary10Percent5Minutes")):
            groups = template.of_type("AWS::CodeDeploy::DeploymentGroup", Stage=stage)
            self.assertEqual(len(groups), len(ROLES))
            for group in groups.values():
                p = group["Properties"]
                self.assertEqual(p["DeploymentConfigName"], "CodeDeployDefault.Lambda" + config)
                self.assertIn("DEPLOYMENT_STOP_ON_ALARM", p["AutoRollbackConfiguration"]["Events"])
                self.assertEqual(self.alarms(p), {"ApiServerErrorAlarm", "FunctionErrorAlarm"} if stage == "prod" else set())

    def test_an_alarm_that_is_on_does_not_block_the_deployment_that_mends_it(self):
        for group in template.of_type("AWS::CodeDeploy::DeploymentGroup", Stage="prod", DeploymentAlarms="false").values():
            self.assertEqual(self.alarms(group["Properties"]), set())

    def alarms(self, group):
        return {a["Name"] for a in group.get("AlarmConfiguration", {}).get("Alarms", [])}

    def test_a_release_publishes_even_where_only_parameters_changed(self):
        # CloudFormation replaces a version whose Description changes, and Lambda
        # publishes only what differs: the function's own Description has to.
        for name, f in functions(Release="r2").items():
            self.assertIn("r2", f["Description"], name)
        for version in template.of_type("AWS::Lambda::Version", Release="r2").values():
            self.assertEqual(version["Properties"]["Description"], "r2")
