"""The functions' environment, held against the table that the configuration writes
into docs/configuration.md, both ways, and against what sam local makes of it."""

import re
import unittest

from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables

import template
from test_functions import functions

PROVIDERS = ("ANTHROPIC", "OPENAI", "GEMINI", "GROK")
VENUES = ("KRAKEN", "COINBASE", "OKX", "BINANCE", "BINANCEUS")

# Variables that the program knows and the template does not set, with the reason.
NOT_ON_LAMBDA = {
    "{PROVIDER}_API_KEY": "keys are in Secrets Manager, never in an environment",
    "SIMULATE_PROVIDERS": "there is no simulator in these binaries",
    "PRICES_FILE": "there is no file beside the binary",
    "MAX_CONCURRENT_RUNS": "a sandbox has one request at a time; ReservedConcurrency bounds their number",
    "DATA_FILE": "the tables are the store",
    "LISTEN_ADDR": "nobody listens",
    "API_KEYS": "API Gateway holds the key",
    "LOG_LEVEL": "AWS_LAMBDA_LOG_LEVEL rules, see LoggingConfig",
    "LOG_FORMAT": "AWS_LAMBDA_LOG_FORMAT rules, see LoggingConfig",
}

# Variables that only some functions have.
ONLY = {
    "PROVIDER_KEYS_SECRET_ID": {"ConsensusFunction", "ScheduledConsensusFunction", "HealthFunction"},
    "FUNCTION_ROLE": {"ConsensusFunction", "ConsensusReadFunction", "ScheduledConsensusFunction"},
    "WATCHLIST": {"ScheduledConsensusFunction"},
} | {f"{v}_BASE_URL": {"ScheduledConsensusFunction"} for v in VENUES}

# Read by the AWS SDK and declared for sam local only.
ENDPOINTS = {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER"}


def documented():
    """Every variable in the table, as it is written there."""
    text = (template.ROOT / "docs/configuration.md").read_text()
    table = text.split("<!-- variables:")[1].split("<!-- end of variables -->")[0]
    return re.findall(r"^\| `([A-Z0-9_{}]+)` \|", table, re.MULTILINE)


def known_on_lambda():
    names = set()
    for name in set(documented()) - set(NOT_ON_LAMBDA):
        names.update(name.replace("{PROVIDER}", p) for p in PROVIDERS)
    return names


def variables(name, **parameters):
    return functions(**parameters)[name]["Environment"]["Variables"]


class Environment(unittest.TestCase):
    def test_what_is_left_out_still_exists(self):
        self.assertLessEqual(set(NOT_ON_LAMBDA), set(documented()))

    def test_every_variable_is_set_and_nothing_else(self):
        for name in functions():
            with self.subTest(name):
                want = {v for v in known_on_lambda() if name in ONLY.get(v, {name})}
                self.assertEqual(set(variables(name)), want)

    def test_no_key_is_in_an_environment(self):
        for name in functions():
            for variable, value in variables(name, AllowProbe="true").items():
                self.assertNotRegex(variable, r"(API_KEY|API_KEYS|TOKEN|PASSWORD)$")
                self.assertNotIn("resolve:", str(value), f"{name}: {variable} holds a value that is looked up")
        self.assertNotIn("{{resolve:", template.PATH.read_text())
        for name, parameter in template.written()["Parameters"].items():
            self.assertNotIn("NoEcho", parameter, f"{name}: a parameter is no place for a secret")

    def test_health_knows_of_the_secret_only_where_it_may_probe(self):
        self.assertEqual(variables("HealthFunction")["PROVIDER_KEYS_SECRET_ID"], "")
        self.assertEqual(variables("HealthFunction", AllowProbe="true")["PROVIDER_KEYS_SECRET_ID"], "ProviderKeys")

    def test_money_is_capped_by_default(self):
        self.assertEqual(float(variables("ConsensusFunction")["DAILY_BUDGET_USD"]), 10)

    def test_sizes(self):
        # Lambda takes 4 KB of names and values; names of tables and the secret's ARN come from AWS.
        longest = {"WATCHLIST": "x" * template.written()["Parameters"]["WatchList"]["MaxLength"]}
        for name in functions():
            given = {**variables(name), **longest} if name == "ScheduledConsensusFunction" else variables(name)
            size = sum(len(k) + len(str(v)) for k, v in given.items())
            self.assertLess(size, 4096 - 700, f"{name}: leave room for models and addresses")


class SamLocal(unittest.TestCase):
    """sam local resolves the template by itself, and differently in places."""

    def environment(self, name, overridden=None):
        stacks, _ = SamLocalStackProvider.get_stacks(str(template.PATH))
        f = next(f for f in SamFunctionProvider(stacks).get_all() if f.name == name)
        return EnvironmentVariables(f.name, f.memory, f.timeout, f.handler, variables=f.environment["Variables"],
                                    override_values=overridden).resolve()

    def test_it_sees_the_same_values(self):
        for name in functions():
            local = self.environment(name)
            for variable, value in variables(name).items():
                self.assertEqual(local[variable], str(value), f"{name}: {variable}")

    def test_emulators_can_be_named(self):
        # --env-vars sets only what the template declares; on AWS none is there.
        given = {name: "http://172.17.0.1:1" for name in ENDPOINTS} | {f"{p}_BASE_URL": "http://172.17.0.1:2" for p in PROVIDERS}
        local = self.environment("ConsensusFunction", given)
        self.assertEqual({name: local.get(name) for name in given}, given)
        given = {f"{v}_BASE_URL": "http://172.17.0.1:3" for v in VENUES}
        local = self.environment("ScheduledConsensusFunction", given)
        self.assertEqual({name: local.get(name) for name in given}, given)
        for name in functions():
            self.assertFalse(ENDPOINTS & set(variables(name)))
