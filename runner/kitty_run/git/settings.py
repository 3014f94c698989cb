"""Git's settings and variables that mean the same for the runner's own calls and for those of a host."""

from __future__ import annotations

NOWHERE = "/dev/null/none"
"""A file that there can't be; of one that is there but empty, git would say that it is deprecated."""

COMMON = {
    # What would run a program, or ask for a key. Hooks check what a person commits. The runner's commits
    # are checked by the profile's `checks`, and a hook that reformats, refuses or pushes would change work
    # that is about to be reviewed; see docs/safety.md.
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # What would refuse a merge or a commit, or make another one of it.
    "merge.ff": "true",
    "merge.verifySignatures": "false",
    "rerere.enabled": "false",
    "core.safecrlf": "false",
    "i18n.commitEncoding": "UTF-8",
    # What would change the text that is read.
    "color.ui": "false",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.relative": "false",
    "diff.ignoreSubmodules": "none",
}

VARIABLES = frozenset(
    {
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
    }
)
"""Who the user is and where their settings are; every other GIT_* could lead to another repository."""

QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": ":",
    "GIT_PAGER": "cat",
    # What history says is what was reviewed: nothing replaces its commits.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": NOWHERE,
}
"""Variables that are set for every call."""
