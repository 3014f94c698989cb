"""A host that is strange in one way, and otherwise the simulated one: `strange_host.py WAY ARGUMENTS…`."""
# ruff: noqa: T201 - it answers

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from kitty_run.host.sim.cli import main

way, words = sys.argv[1], sys.argv[2:]
asked = words[1]


def envelope(**data: object) -> str:
    ok = {"success": True, "command": f"orchestrator-api.{asked}", "contract_version": "1.5.0", "data": data}
    return json.dumps({**ok, "error_code": None})


def first_time(asked: str) -> bool:
    """Whether `asked` was never called in this repository."""
    seen = Path(".git", f"asked-{asked}")
    known = seen.exists()
    seen.touch()
    return not known


if way == "contract-9" and asked == "contract-version":
    print(envelope(api_version="9.0.0"))
elif way == "prose" and asked == "start-implementation":
    print("Everything went well, I believe.")
elif way == "crash" and asked == "start-implementation":
    sys.exit("Traceback: it broke")
elif way == "crash-at-first" and first_time(asked):
    sys.exit(f"Traceback: {asked} broke")
elif way == "hang" and asked == "start-implementation":
    time.sleep(600)
elif way == "outside" and asked == "start-implementation":
    print(envelope(workspace_path="/usr", prompt_path="/etc/hostname", mission_slug="m", wp_id="WP01"))
else:
    if way == "two-objects":
        print('{"success": false, "command": "something.else", "error_code": "NOISE", "data": {}}')
        print("Warning: {not json}")
    sys.exit(main(words))
