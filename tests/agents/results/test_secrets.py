"""Masking what looks like a secret."""

from __future__ import annotations

import re

import pytest
from kitty_run.agents.results.secrets import mask

BODY = "aB3" * 14


@pytest.mark.parametrize(
    "secret",
    [
        f"sk-ant-{BODY}",
        f"sk-proj-{BODY}",
        f"ghp_{BODY}",
        f"github_pat_{BODY}",
        f"glpat-{BODY}",
        f"xoxb-{BODY}",
        f"AIza{BODY}",
        "AKIA" + "ABCDEFGH12345678",
        f"npm_{BODY}",
        f"hf_{BODY}",
        f"eyJ{BODY}.eyJ{BODY}.{BODY}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_known_shapes_are_masked_wherever_they_stand(secret: str) -> None:
    assert mask(f'before "{secret}" after') == 'before "***" after'


def test_what_follows_a_known_word_is_masked() -> None:
    assert mask(f"Authorization: Bearer {BODY}") == "Authorization: Bearer ***"
    assert mask("authorization: bearer abcdefghijklmnop") == "authorization: bearer ***"
    assert mask("https://me:pass@example.com/x") == "https://***@example.com/x"


@pytest.mark.parametrize(
    "text",
    [
        "task-list",
        "a sk-short",
        "https://example.com:8080/path",
        "the bearer of news",
        "3f2a" * 10,
        "--key-names",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "sk" + "_live_" + "a1B2c3D4e5F6g7H8i9",
        "SG" + "." + "a" * 22 + "." + "b" * 43,
        "AccountKey=" + "Ab1+" * 20,
        "password=hunter2hunter2",
        "passwd: hunter2hunter2",
        "aws_secret_access_key = " + "wJalrXUtnF" * 4,
        "TWILIO_AUTH_TOKEN=" + "0123456789abcdef" * 2,
    ],
)
def test_more_shapes_are_masked(secret: str) -> None:
    assert re.split(r"[=:] ?", secret)[-1] not in mask(f"it said {secret} there")


def test_a_path_is_left_as_it_is() -> None:
    for text in ("cd /home/me/sk-abcdefghijklmnopqrstuv/repo", "PWD=/home/me/somewhere"):
        assert mask(text) == text


@pytest.mark.parametrize("text", ["a\x1b]52;c;ZXZpbA==\x07b", "a\x1b[2Jb", "a\u202eb", "a\x9bb", "a\u2028b"])
def test_nothing_drives_the_terminal(text: str) -> None:
    assert mask(text) == "ab"
