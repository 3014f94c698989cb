"""Masking what is known as a secret, or looks like one."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kitty_run.text.clean import clean
from kitty_run.text.known import knowing, secret_values

BODY = "aB3" * 14
HEX = "0123456789abcdef" * 2
KEY_LINES = "\n".join([f"MIIE{BODY}"] * 12)

WHOLE = {
    "anthropic": f"sk-ant-api03-{BODY}",
    "openai": f"sk-proj-{BODY}",
    "github": f"ghp_{BODY}",
    "github fine": f"github_pat_{BODY}",
    "gitlab": f"glpat-{BODY}",
    "slack": f"xoxb-{BODY}",
    "google": f"AIza{BODY}",
    "aws id": "AKIA" + "ABCDEFGH12345678",
    "npm": f"npm_{BODY}",
    "hugging face": f"hf_{BODY}",
    "token": f"eyJ{BODY}.eyJ{BODY}.{BODY}",
    "stripe": "sk" + "_live_" + "a1B2c3D4e5F6g7H8i9",
    "sendgrid": "SG" + "." + "a" * 22 + "." + "b" * 43,
    "twilio": f"SK{HEX}",
    "azure": "Ab1+" * 21 + "Ab==",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_LINES}\n-----END RSA PRIVATE KEY-----",
    "openssh key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_LINES}\n-----END OPENSSH PRIVATE KEY-----",
}
"""A secret that is masked as a whole, of each kind."""

NAMED = {
    "AccountKey=": "Ab1+" * 20,
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=": "Ab1+" * 21 + "Ab==",
    "SharedAccessKey=": "Ab1+" * 10 + "abc=",
    "https://a.blob.core.windows.net/c?sv=2022&sig=": "Ab1%2F" * 10,
    "password=": "hunter2",
    "DB_PASSWORD=": "hunter2hunter2",
    "password=/": "hunter2hunter2",
    "passwd: ": "hunter2hunter2",
    '"password": "': "correct horse battery staple",
    '{\\"password\\": \\"': "hunter2hunter2",
    "aws_secret_access_key = ": "wJalrXUtnF" * 4,
    '"SecretAccessKey": "': "/JalrXUtnF" * 4,
    "AKIAABCDEFGH12345678,": "wJalrXUtn/" * 4,
    "TWILIO_AUTH_TOKEN=": HEX,
    "Authorization: Bearer ": BODY,
    "authorization: basic ": "dXNlcjpwYXNzd29yZA==",
    "x-api-key: ": BODY,
    "client_secret=": BODY,
    "--token ": BODY,
    "postgres://me:": "p@ss:word",
    "https://": f"{BODY}",
}
"""What stands before a secret, and the secret."""

AFTER = {"postgres://me:": "@example.com/x", "https://": "@example.com/x"}


@pytest.mark.parametrize("secret", WHOLE.values(), ids=WHOLE)
def test_known_shapes_are_masked_wherever_they_are(secret: str) -> None:
    assert clean(f'before "{secret}" after') == 'before "***" after'
    assert clean(f"see /home/me/{secret.splitlines()[0]}") == "see /home/me/***"


@pytest.mark.parametrize("name", NAMED)
def test_what_follows_a_known_word_is_masked(name: str) -> None:
    secret = NAMED[name]
    assert secret not in clean(f"it said {name}{secret}{AFTER.get(name, '')} there")


def test_the_name_of_a_masked_value_stays() -> None:
    assert clean(f"Authorization: Bearer {BODY}") == "Authorization: Bearer ***"
    assert clean("https://me:pass@example.com/x") == "https://***@example.com/x"
    assert clean("DB_PASSWORD=hunter2 make") == "DB_PASSWORD=*** make"


@pytest.mark.parametrize(
    "text",
    [
        "task-list",
        "a sk-short",
        "https://example.com:8080/path",
        "the bearer of news",
        "3f2a" * 10,
        "--key-names",
        "034-sk-learn-for-everybody",
        "limits.tokens: 5000000 of 4000000 used",
        "input_tokens=123456789012345678",
        "password=$DB_PASSWORD",
        "PWD=/home/me/somewhere",
        "--password <your password>",
        "sha512-" + "Ab1+" * 21 + "Ab==",
        "retry 3 of 5: rate_limited, the next attempt in 30 s",
        "src/authorization/tokens.py:120: the token is not checked",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("marker", ["", "> ", "    ", '"'])
def test_a_private_key_is_masked_though_only_an_end_of_it_is_there(marker: str) -> None:
    lines = [f"MIIE{BODY}{number}" for number in range(9)]
    end = "\n".join(f"{marker}{line}" for line in [*lines, "-----END PRIVATE KEY-----", "then more"])
    begin = "\n".join(f"{marker}{line}" for line in ["-----BEGIN PRIVATE KEY-----", *lines])
    for text in (f"it printed\n{end}", f"it printed\n{begin}"):
        found = clean(text)
        assert not any(line in found for line in lines)
        assert found.startswith("it printed")
    assert "then more" in clean(end)


def test_characters_in_between_hide_no_secret() -> None:
    for between in ("\x1b[31m", "\u200b", "\x1b]0;x\x07", "\u2060", "\x00", "\U000e0041"):
        assert "***" in clean(f"sk-ant-{BODY[:20]}{between}{BODY[20:]}")


def test_a_path_is_masked_unless_it_is_known_to_be_the_runners() -> None:
    repo = "/home/me/sk-abcdefghijklmnopqrstuv/repo"
    told = f"cd {repo} && kitty-run status; log {repo}/.kitty-run/logs/WP01"
    assert repo not in clean(told)
    with knowing(places=[repo]):
        assert clean(told) == told
        for stranger in (
            "/home/me/sk-abcdefghijklmnopqrstuvwxyz/repo",
            "/var/sk-abcdefghijklmnopqrstuv/repo",
            f"{repo}/ghp_{BODY}",
            "sk-abcdefghijklmnopqrstuv",
        ):
            assert "***" in clean(f"look at {stranger}")
    assert repo not in clean(told)


@pytest.mark.parametrize(
    "value",
    [
        "opaque!value/7",
        "Tr0ub4dor&3",
        "a" * 7 + "1",
        'quo"ted\\value',
        "line one of it is long\nline two of it is, too",
    ],
)
def test_known_values_are_masked_in_every_form(value: str) -> None:
    with knowing([value]):
        for form in (value, json.dumps(value), quote(value), f"x{value}y", f"/var/{value}/z"):
            assert "***" in clean(form)
            assert value not in clean(form)
        assert all("***" in clean(line) for line in value.splitlines())
    assert clean(value) == value


def test_which_variables_hold_secrets() -> None:
    environ = {
        "MY_API_KEY": "abcdefghij",
        "SHORT_KEY": "abc",
        "CODE": "x7Gq-91-plum",
        "PROXY": "http://me:pass@proxy:80",
        "HOME": "/home/somebody",
        "PATH": "/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "STAGE": "production",
        "MODEL_NAME": "large-2030-01",
        "KEY_FILE_PASSWORD": "/not/there",
        "CREDENTIALS": "/",
        "SERVICE": "https://example.com/v1",
        "NUMBER": "123456789",
    }
    assert set(secret_values([*environ, "UNSET_TOKEN"], environ)) == {
        "abcdefghij",
        "x7Gq-91-plum",
        "http://me:pass@proxy:80",
        "/not/there",
    }


_TEXT = st.text(st.characters(), max_size=60)
_PIECES = st.lists(
    st.one_of(
        _TEXT,
        st.sampled_from([*WHOLE.values(), *(f"{name}{secret}" for name, secret in NAMED.items())]),
        st.sampled_from(
            [
                "\x1b]52;c;",
                "\x07",
                "\x1b[",
                "\x1b\\",
                "://",
                "@",
                "'",
                '"',
                "***",
                "-----END PRIVATE KEY-----",
                "\n",
            ]
        ),
    ),
    max_size=8,
)


@given(_PIECES.map("".join))
@example("\x1b\x1b[0m[31m")
@example("sk-\u200bant-" + BODY)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(before=_TEXT, after=_TEXT, secret=st.sampled_from([*WHOLE.values()]))
def test_no_secret_survives_in_any_text(before: str, after: str, secret: str) -> None:
    assert secret not in clean(f"{before} {secret} {after}")


@given(before=_TEXT, after=_TEXT, name=st.sampled_from([*NAMED]))
def test_no_named_secret_survives_in_any_text(before: str, after: str, name: str) -> None:
    secret = NAMED[name]
    assert secret not in clean(f"{before} {name}{secret}{AFTER.get(name, '')} {after}")


@given(before=_TEXT, after=_TEXT, value=st.text(st.characters(codec="utf-8"), min_size=8, max_size=30))
def test_no_known_value_survives_in_any_text(before: str, after: str, value: str) -> None:
    kept = clean(value).strip()
    with knowing([value]):
        found = clean(f"{before}{value}{after}")
    assert len(kept) < 8 or kept not in found


def test_long_texts_are_cleaned_in_bounded_time() -> None:
    for piece in (
        "a" * 99 + " ",
        "password",
        "sk-",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJ" * 5,
        "\x1b]",
        "a:b@",
        "token = ",
    ):
        assert clean(piece * (60_000 // len(piece))) is not None
