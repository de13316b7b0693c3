"""What each role may: exactly this, on exactly these."""

import unittest

import template
from test_functions import functions

XRAY = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}


def logs(group):
    return {("logs:CreateLogStream", group + ".Arn"), ("logs:PutLogEvents", group + ".Arn")}


ASK = {
    ("secretsmanager:GetSecretValue", "ProviderKeys"),
    ("dynamodb:PutItem", "ResultsTable.Arn"),
    ("dynamodb:GetItem", "ResultsTable.Arn"),
    ("dynamodb:UpdateItem", "MetricsTable.Arn"),
    ("dynamodb:PutItem", "MetricsTable.Arn"),
    ("dynamodb:Query", "MetricsTable.Arn"),
    ("dynamodb:GetItem", "CoordinationTable.Arn"),
    ("dynamodb:PutItem", "CoordinationTable.Arn"),
    ("dynamodb:UpdateItem", "CoordinationTable.Arn"),
}

RIGHTS = {
    "ConsensusRole": XRAY | ASK | logs("ConsensusLogGroup"),
    "ConsensusReadRole": XRAY | logs("ConsensusReadLogGroup") | {
        ("dynamodb:GetItem", "ResultsTable.Arn"),
        ("dynamodb:BatchGetItem", "ResultsTable.Arn"),
        ("dynamodb:Query", "ResultsTable.Arn/index/by_series"),
        ("dynamodb:Query", "ResultsTable.Arn/index/by_day"),
        ("dynamodb:Query", "MetricsTable.Arn"),
    },
    "HealthRole": XRAY | logs("HealthLogGroup") | {
        ("dynamodb:Query", "MetricsTable.Arn"),
        ("dynamodb:GetItem", "CoordinationTable.Arn"),
    },
    "ScheduledConsensusRole": XRAY | ASK | logs("ScheduledConsensusLogGroup") | {
        ("sqs:SendMessage", "ScheduledRunFailures.Arn"),
        ("dynamodb:UpdateItem", "ResultsTable.Arn"),
        ("dynamodb:DeleteItem", "MetricsTable.Arn"),
    },
    "ScheduleRole": {
        ("lambda:InvokeFunction", "ScheduledConsensusFunction.Arn:live"),
        ("sqs:SendMessage", "UndeliveredSchedules.Arn"),
    },
    "ApiGatewayLogRole": set(),
    "CodeDeployServiceRole": set(),
}

# AWS' own policies, each of a service that accepts nothing less.
MANAGED = {
    "ApiGatewayLogRole": ["AmazonAPIGatewayPushToCloudWatchLogs"],
    "CodeDeployServiceRole": ["AWSCodeDeployRoleForLambda"],
}


def statements(role):
    return [s for policy in role["Properties"].get("Policies", []) for s in policy["PolicyDocument"]["Statement"]]


def rights(role):
    return {(action, resource) for s in statements(role)
            for action in template.as_list(s["Action"]) for resource in template.as_list(s["Resource"])}


class Rights(unittest.TestCase):
    def roles(self, **parameters):
        return template.of_type("AWS::IAM::Role", **parameters)

    def test_each_role_may_exactly_this(self):
        roles = self.roles()
        self.assertEqual(set(roles), set(RIGHTS))
        for name, role in roles.items():
            with self.subTest(name):
                self.assertEqual(rights(role), RIGHTS[name])
                for s in statements(role):
                    self.assertLessEqual(set(s), {"Effect", "Action", "Resource"})
                managed = [arn.split("/")[-1] for arn in role["Properties"].get("ManagedPolicyArns", [])]
                self.assertEqual(managed, MANAGED.get(name, []))

    def test_no_wildcard_but_for_x_ray(self):
        for parameters in ({}, {"AllowProbe": "true", "Stage": "prod"}):
            for name, role in self.roles(**parameters).items():
                for action, resource in rights(role):
                    if not action.startswith("xray:Put"):
                        self.assertNotIn("*", action + resource, name)
        self.assertEqual(template.of_type("AWS::IAM::Policy") | template.of_type("AWS::IAM::ManagedPolicy"), {})

    def test_probing_needs_the_secret_and_nothing_more(self):
        more = rights(self.roles(AllowProbe="true")["HealthRole"]) - RIGHTS["HealthRole"]
        self.assertEqual(more, {("secretsmanager:GetSecretValue", "ProviderKeys")})

    def test_each_role_is_for_one_service(self):
        assumed_by = {name: [p for s in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                             for p in template.as_list(s["Principal"]["Service"])] for name, role in self.roles().items()}
        want = {f["Role"].removesuffix(".Arn"): ["lambda.amazonaws.com"] for f in functions().values()}
        want |= {"ScheduleRole": ["scheduler.amazonaws.com"], "ApiGatewayLogRole": ["apigateway.amazonaws.com"],
                 "CodeDeployServiceRole": ["codedeploy.amazonaws.com"]}
        self.assertEqual(assumed_by, want)

    def test_the_secret_has_no_value(self):
        secret = template.properties("ProviderKeys")
        self.assertLessEqual(set(secret), {"Description"})
