"""Reading results out of agents' standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kitty_run.agents.results.output import MESSAGE_LIMIT, Extract, extract, resolve
from kitty_run.profile.model import Output

JSON = Output("json", "/result", "/session_id", "/cost", "/usage/in", "/usage/out")
LINES = Output("jsonl", "/item/text", "/thread", "/cost", "/usage/in", "/usage/out")
RESULT = '{"result": "Done.", "session_id": "s-1", "cost": 0.25, "usage": {"in": 10, "out": 3}}'


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
    assert read(tmp_path, JSON, text) == Extract("Done.", "s-1", 0.25, 10, 3)


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
    assert read(tmp_path, LINES, text) == Extract("last", "t-1", None, 12, 2)


def test_steps_add_up_where_there_is_no_total(tmp_path: Path) -> None:
    text = '{"t":"step","cost":0.5}\n{"t":"step","cost":0.25}\n{"t":"copy","cost":0.25}\n'
    summed = Output("jsonl", cost_usd="/cost", sum=True)
    assert read(tmp_path, summed, text).cost_usd == 1.0
    assert (
        read(tmp_path, Output("jsonl", cost_usd="/cost", sum=True, lines='"t":"step"'), text).cost_usd == 0.75
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
    assert (found.cost_usd, found.input_tokens, found.output_tokens) == expected
    assert found.message == text.strip()


def test_the_usage_of_all_models_is_added_up(tmp_path: Path) -> None:
    output = Output("json", "/said", input_tokens="/models/*/in", output_tokens="/models/*/out/n")
    models = {"big": {"in": 10, "out": {"n": 2}}, "small": {"in": 5}, "odd": {"in": "many", "out": 3}}
    text = json.dumps({"said": "Done.", "models": models}, indent=1)
    assert read(tmp_path, output, text) == Extract("Done.", None, None, 15, 2)
    assert resolve({"models": {}}, "/models/*/in") is None
    assert resolve([{"n": 1}, {"n": 2}], "/*/n") == 3
    assert resolve({"*": {"*x": 1}}, "/*/*x") == 1
