"""The schema says everything of every key, and agrees with the typed model and the shipped defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from kitty_run.profile import model
from kitty_run.profile.durations import seconds
from kitty_run.profile.extends.layers import defaults_layer
from kitty_run.profile.finish import Finish, Merge
from kitty_run.profile.limits import Allowance, Limits, Resources
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.template import NAMES
from kitty_run.profile.validation.network import Network
from kitty_run.profile.validation.schema import profile_schema, resolve
from kitty_run.profile.yaml.tree import plain

SCHEMA: Any = profile_schema()


def schemas(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the schema, below every definition too, with what is there."""
    for key, below in schema.get("properties", {}).items():
        yield f"{path}/{key}", below
        yield from schemas(below, f"{path}/{key}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from schemas(schema[word], f"{path}/*")


def all_keys() -> list[tuple[str, Any]]:
    found = list(schemas(SCHEMA))
    for name, definition in SCHEMA["$defs"].items():
        found += schemas(definition, f"#{name}")
    return found


KEYS = dict(all_keys())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", KEYS)
def test_every_key_is_described(path: str) -> None:
    description = KEYS[path].get("description", "")
    assert description.endswith(".")
    assert description[0].isupper() or description[0] == "`"


@pytest.mark.parametrize("path", KEYS)
def test_every_map_is_closed(path: str) -> None:
    schema = resolve(KEYS[path])
    if "object" in schema.get("type", ""):
        assert "additionalProperties" in schema
        assert schema["additionalProperties"] is not True


ROWS = ("#hostRow", "#agentRow", "#reworkRow", "#verdictRow")


@pytest.mark.parametrize("path", sorted(KEYS))
def test_examples_and_defaults_fit_their_key(path: str) -> None:
    schema = KEYS[path]
    validator = Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
    given = [*schema.get("examples", []), *([schema["default"]] if "default" in schema else [])]
    found = [error for value in given for error in validator.iter_errors(value)]
    assert [error.message for error in found if error.validator != "required"] == []


@pytest.mark.parametrize("path", sorted(path for path in KEYS if not path.endswith("*")))
def test_every_key_has_an_example(path: str) -> None:
    assert KEYS[path]["examples"]


def properties(pointer: str) -> dict[str, Any]:
    schema: Any = SCHEMA
    for part in pointer.split("/")[1:]:
        schema = resolve(schema["additionalProperties"] if part == "*" else schema["properties"][part])
    found: dict[str, Any] = schema["properties"]
    return found


MODELS = [
    ("/host", model.HostConfig, {}),
    ("/agents/*", model.Agent, {"name": None}),
    ("/agents/*/env", model.AgentEnv, {"passed": "pass"}),
    ("/agents/*/output", model.Output, {}),
    ("/concurrency", model.Concurrency, {}),
    ("/limits", Limits, {}),
    ("/limits/work_package", Allowance, {}),
    ("/finish", Finish, {}),
    ("/finish/merge", Merge, {}),
    ("/retry", model.RetryTables, {}),
    ("/retry/agent/default", model.RetryRow, {}),
    ("/retry/host/default", model.RetryRow, {}),
    ("/retry/review/no_verdict", model.RetryRow, {}),
    ("/retry/review/changes_requested", model.RetryRow, {}),
    ("/retry/agent/default/backoff", model.Backoff, {}),
    ("/agents/*/roles/review", model.Extra, {}),
    ("/agents/*/resources", Resources, {}),
    ("/network", Network, {}),
]


@pytest.mark.parametrize(("pointer", "typed", "renamed"), MODELS, ids=[each[0] for each in MODELS])
def test_schema_and_model_have_the_same_keys(
    pointer: str, typed: type, renamed: dict[str, str | None]
) -> None:
    names = {renamed.get(field.name, field.name) for field in fields(typed)} - {None}
    assert names == set(properties(pointer))


def test_the_policy_has_the_fields_of_the_model_and_the_axes() -> None:
    names = {field.name for field in fields(model.Policy)} - {"axes"}
    assert {*names, *policy_axes()} == set(properties("/policy"))
    assert {key for key, schema in properties("/policy").items() if "x-axis" in schema} == set(policy_axes())


@pytest.mark.parametrize("name", sorted(policy_axes()))
def test_what_is_known_of_an_axis_are_its_values(name: str) -> None:
    axis, values = policy_axes()[name], set(properties("/policy")[name]["enum"])
    assert (set(axis.preferred), len(axis.preferred)) == (values, len(values))
    assert {axis.unrestricted, *axis.sandboxed} <= values


def test_the_top_level_and_the_roles_agree_too() -> None:
    of_layers = {"version", "extends", "locked", "min_kitty_run"}
    renamed = {"path": None, "digest": None, "trust": None, "commit_message": "commit"}
    names = {renamed.get(field.name, field.name) for field in fields(model.Profile)} - {None}
    assert names == set(SCHEMA["properties"]) - of_layers
    roles = SCHEMA["properties"]["roles"]["properties"]
    keys = set(roles["implement"]["properties"]) | set(roles["review"]["properties"])
    assert {field.name for field in fields(model.Role)} - {"name"} == keys
    check = set(SCHEMA["$defs"]["check"]["properties"])
    assert {field.name for field in fields(model.Check)} == check
    rule = set(SCHEMA["$defs"]["agent"]["properties"]["failures"]["items"]["properties"])
    assert {"class" if f.name == "failure" else f.name for f in fields(model.FailureRule)} == rule


@pytest.mark.parametrize(("pointer", "typed", "renamed"), MODELS, ids=[each[0] for each in MODELS])
def test_schema_and_model_have_the_same_defaults(
    pointer: str, typed: type, renamed: dict[str, str | None]
) -> None:
    assert is_dataclass(typed)
    for field in fields(typed):
        schema = properties(pointer).get(renamed.get(field.name) or field.name, {})
        default = field.default if field.default is not MISSING else None
        if "default" in schema and field.default is not MISSING:
            assert agree(schema["default"], default), field.name


def agree(of_schema: Any, of_model: Any) -> bool:
    """Whether both defaults mean the same: durations are seconds, lists are tuples, maps are objects."""
    if is_dataclass(of_model) and not isinstance(of_model, type):
        given = {key: value for key, value in asdict(of_model).items() if value is not None}
        return of_schema in ({}, given)
    if isinstance(of_schema, str) and of_schema[:1].isdigit():
        return bool(seconds(of_schema) == of_model)
    if isinstance(of_schema, list):
        return bool(tuple(of_schema) == of_model)
    return bool(of_schema == of_model)


def test_the_classes_and_actions_are_those_of_the_model() -> None:
    agent = SCHEMA["properties"]["retry"]["properties"]["agent"]["properties"]
    assert set(agent) - {"default"} == {each.value for each in model.FailureClass}
    actions = {action for row in ROWS for action in SCHEMA["$defs"][row[1:]]["properties"]["do"]["enum"]}
    assert actions == {each.value for each in model.Action}
    enforce = SCHEMA["$defs"]["agent"]["properties"]["enforce"]["properties"]
    assert tuple(enforce) == tuple(policy_axes())
    for axis, table in enforce.items():
        assert list(table["properties"]) == SCHEMA["properties"]["policy"]["properties"][axis]["enum"]


def test_the_shipped_defaults_are_those_of_the_schema() -> None:
    shipped = plain(defaults_layer().root)
    assert isinstance(shipped, dict)
    assert shipped.pop("executor") == "local"  # the short form of a mapping with that `kind`
    for section, values in shipped.items():
        for key, value in values.items():
            if section != "retry":
                assert properties(f"/{section}")[key]["default"] == value, f"/{section}/{key}"
    stated = {(section, key) for section in shipped for key in shipped[section]}
    for section in shipped:
        for key, schema in properties(f"/{section}").items():
            if "default" in schema and schema["default"] != {}:
                assert (section, key) in stated


def test_the_names_of_templates_include_every_policy_field() -> None:
    known = NAMES["policy"] or frozenset()
    assert known | {"tool_restrictions"} == set(properties("/policy"))
