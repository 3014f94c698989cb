"""Git as the host calls it: settings that would stop or mislead a host are set aside for its calls."""

from __future__ import annotations

from collections.abc import Mapping

from kitty_run.git.settings import COMMON, QUIET, VARIABLES

KEPT_VARIABLES = VARIABLES | {
    "GIT_ASKPASS",
    "GIT_CONFIG_COUNT",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_TOKEN",
}
KEPT_BEGINNINGS = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_HTTP_", "GIT_SSL_")
"""Who the user is, where their settings are, and how they reach a remote. Every other GIT_* variable changes
which repository git works on, what it prints or what it takes."""

SETTINGS = {
    **COMMON,
    # What would ask for a key.
    "tag.gpgSign": "false",
    "push.gpgSign": "if-asked",
    # What would refuse a merge or a commit, or make another one of it.
    "merge.autoStash": "false",
    "merge.conflictStyle": "merge",
    "pull.ff": "true",
    "pull.rebase": "false",
    "rebase.autoStash": "false",
    "rebase.updateRefs": "false",
    "rerere.autoUpdate": "false",
    "commit.cleanup": "default",
    "commit.verbose": "false",
    "commit.status": "true",
    "submodule.recurse": "false",
    "i18n.logOutputEncoding": "UTF-8",
    # What would change the text that a host reads.
    "color.status": "false",
    "color.branch": "false",
    "color.diff": "false",
    "column.ui": "never",
    "core.abbrev": "auto",
    "log.showSignature": "false",
    "log.decorate": "false",
    "status.showUntrackedFiles": "normal",
    "status.relativePaths": "true",
    "status.short": "false",
    "status.branch": "false",
}
"""For every call of the host; git's own defaults, but for hooks and what runs at its own time."""


SAME = frozenset({("auto", "false"), ("never", "false"), ("utf8", "utf-8")})
"""Values that come to the same, where nobody looks at a terminal."""


def git_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with which git keeps to `SETTINGS`, whatever the files of the user or the repository say."""
    kept = {name: value for name, value in env.items() if _is_kept(name)}
    return {**with_settings(kept, SETTINGS), **QUIET, "GIT_SEQUENCE_EDITOR": ":"}


def with_settings(env: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """`env` with which git has `settings` besides those that `env` gives it already."""
    found = env.get("GIT_CONFIG_COUNT", "")
    count = int(found) if found.isdecimal() else 0
    more = dict[str, str]()
    for number, (key, value) in enumerate(settings.items(), count):
        more |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**env, **more, "GIT_CONFIG_COUNT": str(count + len(settings))}


def set_aside(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `settings` (keys in small letters) that calls of the host don't follow, as `key=value`."""
    ours = {key.lower(): value for key, value in SETTINGS.items()}
    return tuple(
        f"{key}={value}"
        for key, value in settings.items()
        if key in ours and value.lower() != ours[key] and (value.lower(), ours[key]) not in SAME
    )


def _is_kept(name: str) -> bool:
    return not name.startswith("GIT_") or name in KEPT_VARIABLES or name.startswith(KEPT_BEGINNINGS)
