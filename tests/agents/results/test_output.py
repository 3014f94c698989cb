"""Reading results out of agents' standard output."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.agents.model import ModelUsage, added
from kitty_run.agents.results.collected import MESSAGE_LIMIT, resolve
from kitty_run.agents.results.output import Extract, extract
from kitty_run.profile.output import Output

JSON = Output(
    "json",
    message="/result",
    session="/session_id",
    cost_usd=("/cost",),
    input_tokens=("/usage/in",),
    output_tokens=("/usage/out",),
)
LINES = replace(JSON, format="jsonl", message="/item/text", session="/thread")
RESULT = '{"result": "Done.", "session_id": "s-1", "cost": 0.25, "usage": {"in": 10, "out": 3}}'


def used(read: int, written: int) -> tuple[ModelUsage, ...]:
    return (ModelUsage(None, read, None, written),)


def read(tmp_path: Path, output: Output, text: str | bytes) -> Extract:
    path = tmp_path / "out"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return extract(output, path)


def test_text_is_the_message_without_terminal_escapes(tmp_path: Path) -> None:
    assert read(tmp_path, Output(), "\x1b[1mHi\x1b[0m\r\nthere \n") == Extract("Hi\nthere")
    assert read(tmp_path, Output(), " \n") == Extract()


def test_a_missing_log_has_nothing(tmp_path: Path) -> None:
    for output in (Output(), JSON, LINES):
        assert extract(output, tmp_path / "gone") == Extract()


@pytest.mark.parametrize(
    "text",
    [
        RESULT,
        "warning: [x] {y}\n" + RESULT + "\n",
        '{"result": "no"}\n' + RESULT,
        json.dumps(json.loads(RESULT), indent=2) + "\nbye\n",
        "[broken\n{broken\n" + RESULT,
    ],
)
def test_json_is_found_amid_noise(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, JSON, text) == Extract("Done.", "s-1", 0.25, used(10, 3))


@pytest.mark.parametrize("text", ["", "no json", "{", "null", "[" * 100_000])
def test_what_is_no_json_has_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, JSON, text) == Extract()


def test_each_value_is_read_from_the_last_line_that_has_it(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "starting...",
            '{"thread": "t-1"}',
            '{"item": {"text": "first"}}',
            '{"item": {"text": "last"}}',
            '{"item": {"text": ""}}',
            '{"usage": {"in": 5, "out": 1}}',
            '{"usage": {"in": 12, "out": 2}}',
            '{"half',
        ]
    )
    assert read(tmp_path, LINES, text) == Extract("last", "t-1", None, used(12, 2))


def test_steps_add_up_where_there_is_no_total(tmp_path: Path) -> None:
    text = '{"t":"step","cost":0.5}\n{"t":"step","cost":0.25}\n{"t":"copy","cost":0.25}\n'
    summed = Output("jsonl", cost_usd=("/cost",), sum=True)
    assert read(tmp_path, summed, text).cost_usd == 1.0
    assert (
        read(tmp_path, Output("jsonl", cost_usd=("/cost",), sum=True, lines='"t":"step"'), text).cost_usd
        == 0.75
    )


@pytest.mark.parametrize("cost", ['"0.5"', "-1", "NaN", "Infinity", "true", "null", "[]"])
def test_what_is_no_amount_is_unknown_not_zero(tmp_path: Path, cost: str) -> None:
    assert read(tmp_path, LINES, f'{{"cost": {cost}}}').cost_usd is None


@pytest.mark.parametrize("session", ["--yolo", "a b", "", "x" * 300])
def test_a_session_that_could_pass_for_an_option_is_none(tmp_path: Path, session: str) -> None:
    assert read(tmp_path, JSON, json.dumps({"session_id": session})).session is None


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, LINES, b'\xff\xfe{\n{"thread": "t-1"}\n\x00').session == "t-1"
    assert read(tmp_path, Output(), b"ok \xff").message == "ok \ufffd"


def test_of_a_huge_output_the_end_is_kept(tmp_path: Path) -> None:
    text = "x" * (6 * MESSAGE_LIMIT) + "\nthe end"
    message = read(tmp_path, Output(), text).message
    assert message is not None
    assert len(message) <= MESSAGE_LIMIT
    assert message.endswith("the end")


def test_a_line_beyond_reason_is_passed_over(tmp_path: Path) -> None:
    text = '{"thread": "t-1"}\n{"item": {"text": "' + "x" * 9_000_000 + '"}}\n{"item": {"text": "small"}}\n'
    assert read(tmp_path, LINES, text) == Extract("small", "t-1")


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/a/0/b", 1),
        ("/a/1", None),
        ("/a/-/b", 1),
        ("/s/-", None),
        ("/x~1y", 2),
        ("/x~0y", 3),
        ("/a/b", None),
        ("/s/0", None),
        ("", "whole"),
    ],
)
def test_pointers_follow_rfc_6901(pointer: str, value: object) -> None:
    document = {"a": [{"b": 1}], "x/y": 2, "x~y": 3, "s": "text"}
    assert resolve(document, pointer) == (document if value == "whole" else value)


USAGE = Output(
    usage=r"^Tokens: (?P<input_tokens>\S+) in, (?P<output_tokens>\S+) out(?:, \$(?P<cost_usd>\S+))?$"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tokens: 12 in, 3 out, $0.0041\nbye", (0.0041, 12, 3)),
        ("Tokens: 1 in, 1 out, $9\nTokens: 1.5k in, 2M out, $0.25\n", (0.25, 1500, 2_000_000)),
        ("Tokens: 1,234 in, 50 out", (None, 1234, 50)),
        ("Tokens: few in, -3 out, $inf", (None, None, None)),
        ("nothing of the kind", (None, None, None)),
    ],
)
def test_the_usage_in_a_text_is_what_it_says_last(
    tmp_path: Path, text: str, expected: tuple[float | None, int | None, int | None]
) -> None:
    found = read(tmp_path, USAGE, text)
    tokens = added(found.models)
    assert (found.cost_usd, tokens.input_tokens, tokens.output_tokens) == expected
    assert found.message == text.strip()


def test_the_usage_of_all_models_is_added_up(tmp_path: Path) -> None:
    output = Output(
        "json", message="/said", input_tokens=("/models/*/in",), output_tokens=("/models/*/out/n",)
    )
    models = {"big": {"in": 10, "out": {"n": 2}}, "small": {"in": 5}, "odd": {"in": "many", "out": 3}}
    text = json.dumps({"said": "Done.", "models": models}, indent=1)
    assert read(tmp_path, output, text) == Extract("Done.", None, None, used(15, 2))
    assert resolve({"models": {}}, "/models/*/in") is None
    assert resolve([{"n": 1}, {"n": 2}], "/*/n") == 3
    assert resolve({"*": {"*x": 1}}, "/*/*x") == 1


def usage(tmp_path: Path, output: Output, *documents: object) -> tuple[ModelUsage, ...]:
    return read(tmp_path, output, "\n".join(map(json.dumps, documents))).models


SEVERAL = Output(
    "jsonl",
    model="/model",
    input_tokens=("/in", "/cache"),
    cached_tokens=("/cache",),
    output_tokens=("/out", "/thought"),
)


def test_several_pointers_are_added_up(tmp_path: Path) -> None:
    document = {"model": "gpt-5", "in": 100, "cache": 40, "out": 7, "thought": 3}
    assert usage(tmp_path, SEVERAL, document) == (ModelUsage("gpt-5", 140, 40, 10),)
    assert usage(tmp_path, SEVERAL, {"in": 1}) == (ModelUsage(None, 1, None, None),)


def test_tokens_belong_to_the_model_that_their_line_names_else_to_the_last_one(tmp_path: Path) -> None:
    lines = {"model": "big", "in": 5, "out": 1}, {"model": "small", "in": 3, "out": 2}, {"in": 4, "out": 4}
    summed = replace(SEVERAL, sum=True)
    assert usage(tmp_path, summed, *lines, lines[0]) == (
        ModelUsage("big", 14, None, 6),
        ModelUsage("small", 3, None, 2),
    )
    assert usage(tmp_path, SEVERAL, {"model": "big"}, {"in": 9, "out": 1}) == (ModelUsage("big", 9, None, 1),)
    assert usage(tmp_path, SEVERAL, {"model": "big"}) == (ModelUsage("big"),)


def test_models_may_be_the_names_of_a_mapping(tmp_path: Path) -> None:
    output = Output(
        "json",
        model="/models/*",
        input_tokens=("/models/*/in",),
        cached_tokens=("/models/*/cached",),
        output_tokens=("/models/*/out", "/models/*/thought"),
    )
    models = {"big/1": {"in": 9, "cached": 2, "out": 3, "thought": 4}, "small": {"in": 1}, "--x": {"in": 7}}
    assert usage(tmp_path, output, {"models": models}) == (
        ModelUsage("big/1", 9, 2, 7),
        ModelUsage("small", 1, None, None),
    )
    assert usage(tmp_path, output, {"models": [1]}) == ()
    assert usage(tmp_path, output, {"models": {}}) == (ModelUsage(None, 0, 0, 0),)
    beside = replace(output, input_tokens=("/read",), output_tokens=("/written",))
    document = {"models": {"big": {"cached": 2}}, "read": 9, "written": 3}
    assert usage(tmp_path, beside, document) == (ModelUsage("big", 9, 2, 3),)
    many = {f"m{number}": {"in": 1} for number in range(500)}
    assert len(usage(tmp_path, output, {"models": many})) == 20


@pytest.mark.parametrize("model", ["", "--yolo", "a\nb", "x" * 200, 7, None, ["gpt-5"]])
def test_what_is_no_name_names_no_model(tmp_path: Path, model: object) -> None:
    assert usage(tmp_path, SEVERAL, {"model": model, "in": 1, "out": 1}) == used(1, 1)
