"""What a CLI keeps of a conversation in files of its own: models and tokens that its output lacks."""

from __future__ import annotations

import glob
import stat
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from kitty_run.agents.model import ModelUsage
from kitty_run.agents.results.output import Extract, extract
from kitty_run.profile.output import Output, SessionFile

FOUND = 2000
"""Files of a pattern that are looked at."""

SESSION = "{{ session }}"


def with_session_files(output: Output, found: Extract, environment: Mapping[str, str]) -> Extract:
    """`found` with what the session files of `output` add; `environment` is the agent's. Blocks."""
    for each in output.session_files:
        if found.session is None and SESSION in each.files:
            continue
        path = _newest(each, found.session or "", environment)
        if path is not None:
            found = _added(found, extract(each, path))
    return found


def _added(found: Extract, more: Extract) -> Extract:
    """`found` with the model that its tokens lack, or with the tokens of `more` where it has none."""
    counted = [one for one in found.models if one != ModelUsage(one.model)]
    if not counted:
        named = next((one.model for one in found.models if one.model), None)
        models = tuple(replace(one, model=one.model or named) for one in more.models)
        return replace(found, models=models or found.models)
    last = next((one.model for one in reversed(more.models) if one.model), None)
    return replace(found, models=tuple(replace(one, model=one.model or last) for one in found.models))


def _newest(each: SessionFile, session: str, environment: Mapping[str, str]) -> Path | None:
    """The file that was written last; only regular files count, and none outside of the directory."""
    home = environment.get("HOME")
    directory = environment.get(each.variable or "") or (home and f"{home}/{each.directory}")
    if not directory or "/" in session or ".." in session:
        return None
    pattern = each.files.replace(SESSION, glob.escape(session))
    dated = []
    for path in islice(Path(directory).glob(pattern), FOUND):
        try:
            status = path.lstat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            dated.append((status.st_mtime_ns, path))
    return max(dated)[1] if dated else None
