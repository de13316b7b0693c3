"""The API: its routes, who may call them, and what API Gateway answers by itself."""

import json
import unittest

import template

ROUTES = {
    ("POST", "/v1/consensus"): "ConsensusFunction",
    ("POST", "/api/v1/strategies/llm-consensus"): "ConsensusFunction",
    ("GET", "/v1/consensus/{id}"): "ConsensusReadFunction",
    ("GET", "/v1/consensus/latest"): "ConsensusReadFunction",
    ("GET", "/v1/consensus"): "ConsensusReadFunction",
    ("POST", "/v1/replay"): "ConsensusReadFunction",
    ("GET", "/v1/outcomes"): "ConsensusReadFunction",
    ("GET", "/v1/scoreboard"): "ConsensusReadFunction",
    ("GET", "/openapi.json"): "ConsensusReadFunction",
    ("GET", "/openapi.yaml"): "ConsensusReadFunction",
    ("GET", "/v1/series"): "ConsensusReadFunction",
    ("GET", "/"): "ConsensusReadFunction",
    ("GET", "/ui/{file}"): "ConsensusReadFunction",
    ("GET", "/v1/health"): "HealthFunction",
    ("GET", "/v1/metrics"): "HealthFunction",
    ("GET", "/api/v1/strategies/llm-consensus"): "HealthFunction",
}

# Type of gateway response → status, and name of the problem. None: whatever it was.
ANSWERS = {
    "INVALID_API_KEY": (401, "unauthorized"),
    "UNAUTHORIZED": (401, "unauthorized"),
    "ACCESS_DENIED": (403, "forbidden"),
    "WAF_FILTERED": (403, "forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "unknown-route"),  # what API Gateway calls an unknown path or method
    "RESOURCE_NOT_FOUND": (404, "unknown-route"),
    "REQUEST_TOO_LARGE": (413, "body-too-large"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported-media-type"),
    "THROTTLED": (429, "rate-limited"),
    "QUOTA_EXCEEDED": (429, "quota-exceeded"),
    "INTEGRATION_FAILURE": (500, "internal-error"),
    "INTEGRATION_TIMEOUT": (504, "gateway-timeout"),
    "DEFAULT_4XX": (None, "refused"),
    "DEFAULT_5XX": (None, "internal-error"),
}


class Api(unittest.TestCase):
    def test_every_route_goes_to_its_function(self):
        got = {route: function for route, (function, _) in template.routes().items()}
        self.assertEqual(got, ROUTES)

    def test_every_route_but_the_page_needs_the_key(self):
        for route, (_, operation) in template.routes().items():
            key = [] if route in {("GET", "/"), ("GET", "/ui/{file}")} else [{"api_key": []}]
            self.assertEqual(operation.get("security", []), key, route)
        scheme = template.properties("Api")["Body"]["components"]["securitySchemes"]["api_key"]
        self.assertEqual((scheme["in"], scheme["name"]), ("header", "x-api-key"))

    def test_there_is_one_stage_of_one_regional_api(self):
        (api,) = template.of_type("AWS::ApiGateway::RestApi").values()
        self.assertEqual(api["Properties"]["EndpointConfiguration"]["Types"], ["REGIONAL"])
        (stage,) = template.of_type("AWS::ApiGateway::Stage", Stage="prod").values()
        self.assertEqual(stage["Properties"]["StageName"], "prod")
        self.assertIs(stage["Properties"]["TracingEnabled"], True)

    def test_the_usage_plan_holds_the_key_and_throttles_asking(self):
        plan = template.resources()["UsagePlan"]
        self.assertIn("ApiStage", template.as_list(plan["DependsOn"]))
        (stage,) = plan["Properties"]["ApiStages"]
        asking = [path for path, function in ROUTES.items() if function == "ConsensusFunction"]
        self.assertEqual(set(stage["Throttle"]), {f"{path}/{method}" for method, path in asking})
        for own in stage["Throttle"].values():
            self.assertLess(float(own["RateLimit"]), float(plan["Properties"]["Throttle"]["RateLimit"]))
        key = template.properties("UsagePlanKey")
        self.assertEqual(key, {"KeyId": "ApiKey", "KeyType": "API_KEY", "UsagePlanId": "UsagePlan"})
        self.assertNotIn("Value", template.properties("ApiKey"), "the key is made by AWS and stands in no template")

    def test_what_the_gateway_answers_itself_is_a_problem(self):
        answers = template.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]
        self.assertEqual(set(answers), set(ANSWERS))
        for kind, (status, name) in ANSWERS.items():
            with self.subTest(kind):
                answer = answers[kind]
                header = {k.removeprefix("gatewayresponse.header."): v for k, v in answer["responseParameters"].items()}
                self.assertEqual(header["Content-Type"], "'application/problem+json'")
                self.assertEqual(header["X-Request-Id"], "context.requestId")
                self.assertEqual("Retry-After" in header, status == 429 or status == 504)
                (body,) = answer["responseTemplates"].values()
                problem = json.loads(body)
                self.assertEqual(problem["type"], "/problems/" + name)
                self.assertEqual(problem["request_id"], "$context.requestId")
                self.assertEqual(problem["instance"], "$context.path")
                self.assertIsInstance(problem["retryable"], bool)
                self.assertTrue(problem["title"] and problem["detail"])
                self.assertEqual(problem.get("status"), status)
                self.assertEqual(answer.get("statusCode"), status and str(status))
                self.assertNotIn("$context.error", body, "what the gateway says inside is not for callers")

    def test_the_access_log_has_the_id_of_the_key_and_not_the_key(self):
        stage = template.properties("ApiStage")
        line = json.loads(stage["AccessLogSetting"]["Format"])
        self.assertEqual(line["apiKeyId"], "$context.identity.apiKeyId")
        self.assertEqual(line["requestId"], "$context.requestId")
        self.assertNotIn("$context.identity.apiKey", line.values())
        self.assertEqual(stage["AccessLogSetting"]["DestinationArn"], "AccessLogGroup.Arn")
        for setting in stage["MethodSettings"]:  # it would log bodies and headers
            self.assertIs(setting["DataTraceEnabled"], False)
            self.assertEqual(setting["LoggingLevel"], "OFF")

    def test_allowed_cidrs(self):
        def statements(**parameters):
            return template.properties("Api", **parameters)["Body"]["x-amazon-apigateway-policy"]["Statement"]

        self.assertEqual([s["Effect"] for s in statements()], ["Allow"])
        ranges = "192.0.2.0/24,2001:db8::/32"
        allow, deny = statements(AllowedCidrs=ranges)
        self.assertEqual((allow["Effect"], deny["Effect"]), ("Allow", "Deny"))
        self.assertEqual(deny["Condition"], {"NotIpAddress": {"aws:SourceIp": ranges.split(",")}})
        # A policy works only from the next deployment of the API on.
        self.assertNotEqual(set(template.of_type("AWS::ApiGateway::Deployment")),
                            set(template.of_type("AWS::ApiGateway::Deployment", AllowedCidrs=ranges)))

    def test_web_acl(self):
        self.assertEqual(template.of_type("AWS::WAFv2::WebACLAssociation"), {})
        arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/b"
        (association,) = template.of_type("AWS::WAFv2::WebACLAssociation", WebAclArn=arn).values()
        self.assertEqual(association["Properties"]["WebACLArn"], arn)
        self.assertIn("ApiStage", template.as_list(association["DependsOn"]))

    def test_the_log_role_of_the_account_is_a_choice_and_stays(self):
        account = template.resources()["ApiGatewayAccount"]
        self.assertEqual(account["Properties"]["CloudWatchRoleArn"], "ApiGatewayLogRole.Arn")
        for name in ("ApiGatewayAccount", "ApiGatewayLogRole"):
            self.assertEqual(template.resources()[name]["DeletionPolicy"], "Retain")
            self.assertNotIn(name, template.resources(ManageApiGatewayAccount="false"))
        # The stage's access log needs the role: the stage is made after it.
        tags = {t["Key"]: t["Value"] for t in template.properties("ApiStage")["Tags"]}
        self.assertEqual(tags["LogsWith"], "ApiGatewayAccount")
