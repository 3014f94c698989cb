"""Git as the host calls it: settings that would stop or mislead a host are set aside for its calls."""

from __future__ import annotations

from collections.abc import Mapping

KEPT_VARIABLES = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_PROXY_COMMAND",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_TOKEN",
    }
)
KEPT_BEGINNINGS = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_HTTP_", "GIT_SSL_")
"""Who the user is, where their settings are, and how they reach a remote. Every other GIT_* variable changes
which repository git works on, what it prints or what it takes."""

QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": ":",
    "GIT_SEQUENCE_EDITOR": ":",
    "GIT_PAGER": "cat",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",  # of a file that is there, git would say that it is deprecated
}

SETTINGS = {
    # What would run a program, or ask for a key. Hooks check what people commit; see docs/safety.md.
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "push.gpgSign": "if-asked",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # What would refuse a merge or a commit, or make another one of it.
    "merge.ff": "true",
    "merge.verifySignatures": "false",
    "merge.autoStash": "false",
    "merge.conflictStyle": "merge",
    "pull.ff": "true",
    "pull.rebase": "false",
    "rebase.autoStash": "false",
    "rebase.updateRefs": "false",
    "rerere.enabled": "false",
    "rerere.autoUpdate": "false",
    "commit.cleanup": "default",
    "commit.verbose": "false",
    "commit.status": "true",
    "core.safecrlf": "false",
    "submodule.recurse": "false",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    # What would change the text that a host reads.
    "color.ui": "false",
    "color.status": "false",
    "color.branch": "false",
    "color.diff": "false",
    "column.ui": "never",
    "core.abbrev": "auto",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.relative": "false",
    "diff.ignoreSubmodules": "none",
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
    count = int(kept["GIT_CONFIG_COUNT"]) if kept.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for number, (key, value) in enumerate(SETTINGS.items(), count):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**kept, **QUIET, "GIT_CONFIG_COUNT": str(count + len(SETTINGS))}


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
