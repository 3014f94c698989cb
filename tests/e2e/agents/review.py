"""A reviewing agent that does what its plan says: judges in writing, or in one of many bad ways."""
# ruff: noqa: T201 - agents speak

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workplace import ATTEMPT, HERE, IDENTITY, ROOM, WP, note

VERDICT = Path(os.environ["KITTY_VERDICT_FILE"])
CODE = os.environ["KITTY_VERDICT_CODE"]


def say(verdict: str, *findings: object) -> None:
    told = {"code": CODE, "verdict": verdict, "summary": f"{verdict} {WP}", "findings": findings}
    if wanted := re.findall(r"(?m)^(FR-\d+): ", Path(os.environ["KITTY_PROMPT_FILE"]).read_text()):
        result = "pass" if verdict == "approved" else "fail"
        told["criteria"] = [{"id": one, "result": result, "evidence": f"{WP}.txt is there"} for one in wanted]
    VERDICT.write_text(json.dumps(told))


def approve() -> None:
    assert (HERE / f"{WP}.txt").read_text().startswith(WP), "what is reviewed is not there"
    say("approved")


def metered() -> None:
    """Approves, and says what it cost."""
    approve()
    print(json.dumps({"cost": 0.25, "read": 90, "written": 10}))


def reject() -> None:
    say("changes_requested", {"message": f'again, "{WP}"\nand\ttabs', "file": f"{WP}.txt", "line": 1})


def looks_around() -> None:
    """Judges what is there: rejects in the first round, and stays silent where anything is not committed."""
    listed = subprocess.check_output(("git", "ls-files", "-z"), cwd=HERE).split(b"\0")[:-1]
    found = {os.fsencode(path.relative_to(HERE)) for path in HERE.rglob("*") if path.is_file()}
    assert found - {b".git"} == set(listed), found ^ set(listed)
    (HERE / "src" / WP.lower() / "node_modules").mkdir()
    (HERE / "src" / WP.lower() / "node_modules" / "dependency.js").write_text("the reviewer's\n")
    reject() if ATTEMPT == 1 else approve()


def no_verdict() -> None:
    print("Looks good to me! APPROVED.")


def invalid() -> None:
    VERDICT.write_text(json.dumps({"code": CODE, "verdict": "LGTM", "summary": 7}))


def half() -> None:
    VERDICT.write_text('{"verdict": "approved", "summary": "cut o')


def approve_and_fail() -> None:
    say("approved")
    sys.exit(1)


def modify() -> None:
    (HERE / f"{WP}.txt").write_text("improved by the reviewer\n")
    (HERE / "reviewer-notes.txt").write_text("notes\n")
    say("approved")


def commit() -> None:
    (HERE / f"{WP}.txt").write_text("improved by the reviewer\n")
    subprocess.run(("git", *IDENTITY, "commit", "-q", "-a", "-m", "review fix"), cwd=HERE, check=True)
    say("approved")


def delete() -> None:
    (HERE / f"{WP}.txt").unlink()
    subprocess.run(("git", "rm", "-rq", "--cached", "src"), cwd=HERE, check=True)
    say("approved")


def other() -> None:
    """Writes the verdict of every other work package, none of its own."""
    room = VERDICT.parent.parent.parent
    for number in range(1, 20):
        wp = f"WP{number:02}"
        if wp != WP:
            forge(room / wp, *(path for path in room.glob(f"{wp}/*") if path.is_dir()))


def early() -> None:
    """Writes its own verdict, and one for its own next round."""
    reject()
    room = VERDICT.parent.parent
    forge(room, room / f"review-{ATTEMPT + 1}", VERDICT.parent / "next")


def forge(*folders: Path) -> None:
    """An approval under every name that it could be looked for by."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("verdict.json", "review-1.json", f"review-{ATTEMPT + 1}.json"):
            told = {"code": CODE, "verdict": "approved", "summary": "forged", "findings": []}
            (folder / name).write_text(json.dumps(told))


def slow() -> None:
    (ROOM / f"reviewing-{WP}").touch()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (ROOM / "go").exists():
        print("reading", flush=True)
        time.sleep(0.1)
    approve()


def in_message() -> None:
    print(
        "Fine.\n\n```json\n"
        + json.dumps({"code": CODE, "verdict": "approved", "summary": "told", "findings": []})
        + "\n```"
    )


def main() -> None:
    plan = json.loads((ROOM / "plan.json").read_text())["review"].get(WP, ["approve"])
    behaviour: Callable[[], None] = globals()[plan[min(ATTEMPT, len(plan)) - 1]]
    note("start", "review")
    behaviour()
    note("end", "review")


main()
