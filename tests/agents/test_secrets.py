"""Masking what looks like a secret."""

from __future__ import annotations

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
