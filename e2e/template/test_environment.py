"""The functions' environment, held against the table that the configuration writes
into docs/configuration.md, both ways, and against what sam local makes of it."""

import re
import unittest

from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables

import template
from test_functions import functions

# Variables that the program knows and the template does not set, with the reason.
NOT_ON_LAMBDA = {
    "{PROVIDER}_API_KEY": "keys are in Secrets Manager, never in an environment",
    "{PROVIDER}_API_KEY_FILE": "there is no file beside the binary, and keys are in Secrets Manager",
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
    "WATCHLIST": {"ConsensusReadFunction", "ScheduledConsensusFunction"},
}

# Read by the AWS SDK and declared for sam local only.
ENDPOINTS = {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER"}


def documented():
    """Every variable in the table, as it is written there."""
    text = (template.ROOT / "docs/configuration.md").read_text()
    table = text.split("<!-- variables:")[1].split("<!-- end of variables -->")[0]
    return re.findall(r"^\| `([A-Z0-9_{}]+)` \|", table, re.MULTILINE)


def in_settings(name):
    """Whether a variable comes in SETTINGS: those of a provider or a venue, and what few change."""
    return name.startswith("{PROVIDER}_") or name.endswith("_BASE_URL") or name in ("METRICS_SHARDS", "ROUND_TRIP_COST", "SETTLE_VENUES", "SHARE_VOTES")


def known_on_lambda():
    return {name for name in documented() if name not in NOT_ON_LAMBDA and not in_settings(name)}


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

    def test_reading_knows_of_the_watch_list_only_while_the_schedule_is_on(self):
        self.assertEqual(variables("ConsensusReadFunction")["WATCHLIST"], "")
        scheduled = variables("ScheduledConsensusFunction")["WATCHLIST"]
        self.assertEqual(variables("ConsensusReadFunction", ScheduleState="ENABLED")["WATCHLIST"], scheduled)

    def test_money_is_capped_by_default(self):
        self.assertEqual(float(variables("ConsensusFunction")["DAILY_BUDGET_USD"]), 10)

    def test_sizes(self):
        # Lambda takes 4 KB of names and values; names of tables and the secret's ARN come from AWS.
        longest = {name: "x" * p["MaxLength"] for name, p in template.written()["Parameters"].items() if "MaxLength" in p}
        self.assertEqual(set(longest), {"Providers", "Settings", "WatchList"})
        # All three at their longest would not fit: tools/parameters.sh lets 2,900 characters of them pass.
        for name in functions():
            size = sum(len(k) + len(str(v)) for k, v in variables(name, Providers="", Settings="").items())
            self.assertLess(size + 2900, 4096 - 680, f"{name}: leave room for what AWS names")
        for shortened in ({"Providers"}, {"Settings", "WatchList"}):
            fitting = {name: value for name, value in longest.items() if name not in shortened}
            for name in functions():
                size = sum(len(k) + len(str(v)) for k, v in variables(name, ScheduleState="ENABLED", **fitting).items())
                self.assertLess(size, 4096 - 680, f"{name}: leave room for what AWS names")


class Providers(unittest.TestCase):
    parameter = template.written()["Parameters"]["Providers"]

    def test_twelve_fit(self):
        one = '{"name":"deepseek-of-ours","preset":"openrouter","model":"deepseek/deepseek-chat-v3.2:nitro","weight":0.85,"price":{"input":0.27,"output":1.10}},'
        text = '{"providers":[' + (12 * one)[:-1] + "]}"
        self.assertLessEqual(len(text), self.parameter["MaxLength"])
        for fits in ("", text):
            self.assertRegex(fits, re.compile(f"^(?:{self.parameter['AllowedPattern']})$"))

    def test_every_function_has_it(self):
        for name in functions():
            self.assertEqual(variables(name, Providers='{"providers":[]}')["PROVIDERS_FILE"], '{"providers":[]}')


class Settings(unittest.TestCase):
    parameter = template.written()["Parameters"]["Settings"]

    def test_all_variables_of_providers_and_venues_fit(self):
        # As long as they get: every provider through a proxy, by a model's full name.
        long = {"MODEL": "a-model-with-a-name-2026-11-23", "BASE_URL": "https://llm-gateway.eu-central-1.example.com/provider/v1",
                "EFFORT": "minimal", "ENABLED": "false", "WEIGHT": "0.85", "MAX_TOKENS": "16384", "TEMPERATURE": "0.25", "TIMEOUT_SECONDS": "22.5"}
        words = []
        for name in filter(in_settings, set(documented()) - set(NOT_ON_LAMBDA)):
            for provider in ("ANTHROPIC", "OPENAI", "GEMINI", "GROK") if name.startswith("{") else [""]:
                value = next((v for ending, v in long.items() if name.endswith(ending)), "0.002")
                words.append(name.replace("{PROVIDER}", provider) + "=" + value)
        self.assertEqual(len(words), 4 * 8 + 5 + 4)
        text = " ".join(words)
        self.assertLessEqual(len(text), self.parameter["MaxLength"], "CloudFormation takes 4,096 characters, the functions less")
        self.assertRegex(text, re.compile(f"^(?:{self.parameter['AllowedPattern']})$"))

    def test_its_form_is_held_before_anything_is_deployed(self):
        pattern = re.compile(self.parameter["AllowedPattern"])
        for text in ("", "GROK_ENABLED=true", " GROK_ENABLED=true\n\tGROK_MODEL=grok-4.7  A=b=c ", "A=" + "B=C" * 300):
            self.assertTrue(pattern.fullmatch(text), text)
        for text in ("GROK_MODEL", "GROK_MODEL=", "GROK_MODEL= x", "GROK_MODEL=grok 4", "grok_model=x", "=x",
                     "OPENAI_API_KEY=x", "GROK_MODEL=x OPENAI_API_KEY=x", "API_KEYS=x", "A=b" * 300 + " x"):
            self.assertFalse(pattern.fullmatch(text), text)

    def test_every_function_has_it(self):
        for name in functions():
            self.assertEqual(variables(name, Settings="GROK_ENABLED=true OKX_BASE_URL=http://h")["SETTINGS"], "GROK_ENABLED=true OKX_BASE_URL=http://h")

    def test_no_parameter_is_of_one_provider_or_venue(self):
        for name in template.written()["Parameters"]:
            self.assertNotRegex(name, "(?i)anthropic|openai|gemini|grok|kraken|coinbase|okx|binance")


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
        given = {name: "http://172.17.0.1:1" for name in ENDPOINTS} | {"SETTINGS": "OPENAI_BASE_URL=http://172.17.0.1:2"}
        for name in functions():
            local = self.environment(name, given)
            self.assertEqual({name: local.get(name) for name in given}, given)
        for name in functions():
            self.assertFalse(ENDPOINTS & set(variables(name)))
