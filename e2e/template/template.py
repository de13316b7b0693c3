"""The template as it is written, and as CloudFormation gets it.

Expanding is SAM's own work. What is left of intrinsic functions is resolved here
for one set of parameters, so that the tests compare plain values:

    !Ref Parameter            its value, as text
    !Ref Resource             Resource
    !GetAtt Resource.Arn      Resource.Arn
    !Sub '${Resource.Arn}/x'  Resource.Arn/x

Resources and list members whose condition is false are gone.
"""

import copy
import functools
import json
import logging
import re
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "template.yaml"
REGION = "eu-central-1"

logging.disable(logging.WARNING)  # the translator tells about its feature toggles

_GONE = object()


@functools.cache
def _parsed():
    return yaml_parse(PATH.read_text())


def written():
    """The template as it is written, intrinsic functions in their long form."""
    return copy.deepcopy(_parsed())


class _NoManagedPolicies:
    """Policies are named by ARN in the template, so that none has to be looked up."""

    def load(self):
        return {}


@functools.cache
def _expanded(parameters):
    validator = SamTemplateValidator(written(), _NoManagedPolicies(), region=REGION, parameter_overrides=dict(parameters))
    return validator.get_translated_template_if_valid()


def expanded_text(**parameters):
    """The expanded template as YAML, intrinsic functions unresolved."""
    return _expanded(tuple(sorted(parameters.items())))


def parameter_values(**parameters):
    """Every parameter's value as text."""
    values = {name: str(p["Default"]) for name, p in written()["Parameters"].items()}
    unknown = set(parameters) - set(values)
    assert not unknown, f"no such parameter: {unknown}"
    values.update(parameters)
    return values


def resources(**parameters):
    """The expanded, resolved resources by logical id. Not to be changed."""
    return _resources(tuple(sorted(parameters.items())))


@functools.cache
def _resources(parameters):
    parameters = dict(parameters)
    template = yaml_parse(expanded_text(**parameters))
    resolver = _Resolver(parameter_values(**parameters), template.get("Conditions", {}))
    out = {}
    for name, resource in template["Resources"].items():
        if "Condition" in resource and not resolver.condition(resource["Condition"]):
            continue
        out[name] = resolver.resolve(resource)
    return out


def of_type(kind, **parameters):
    """The resources of one type."""
    return {name: r for name, r in resources(**parameters).items() if r["Type"] == kind}


def properties(name, **parameters):
    return resources(**parameters)[name]["Properties"]


def routes(**parameters):
    """(method, path) → (logical id of the function, the operation of the API's definition)."""
    out = {}
    for path, methods in properties("Api", **parameters)["Body"]["paths"].items():
        for method, operation in methods.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            function = re.search(r"functions/(\w+?)Aliaslive/invocations$", uri)
            assert function, f"{method} {path} goes to {uri}, not to an alias"
            out[method.upper(), path] = function[1], operation
    return out


def as_list(value):
    return value if isinstance(value, list) else [value]


class _Resolver:
    def __init__(self, values, conditions):
        self.values, self.conditions = values, conditions

    def condition(self, name):
        return self.resolve(self.conditions[name])

    def resolve(self, node):
        if isinstance(node, list):
            members = (self.resolve(n) for n in node)
            return [m for m in members if m is not _GONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, argument), = node.items()
            if key == "Ref" or key.startswith("Fn::"):
                return self.call(key, argument)
        members = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in members.items() if value is not _GONE}

    def call(self, function, argument):
        match function:
            case "Ref":
                return _GONE if argument == "AWS::NoValue" else self.values.get(argument, argument)
            case "Fn::GetAtt":
                return ".".join(argument) if isinstance(argument, list) else argument
            case "Fn::Sub":
                text, names = argument if isinstance(argument, list) else (argument, {})
                names = {**self.values, **{k: str(self.resolve(v)) for k, v in names.items()}}
                return re.sub(r"\$\{([^!}]+)\}", lambda m: names.get(m[1], m[1]), text)
            case "Fn::If":
                name, yes, no = argument
                return self.resolve(yes if self.condition(name) else no)
            case "Fn::Equals":
                left, right = (str(self.resolve(a)) for a in argument)
                return left == right
            case "Fn::Not":
                return not self.resolve(argument[0])
            case "Fn::And":
                return all(self.resolve(argument))
            case "Fn::Split":
                separator, text = argument
                return self.resolve(text).split(separator)
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self.resolve(parts))
        raise NotImplementedError(f"{function} {json.dumps(argument)}")
