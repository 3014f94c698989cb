"""Reading a work package's prompt file."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.agents.launch.task import TaskError, read_task, reported

WHOLE = """---
work_package_id: WP02
title: "Retry payments"
subtasks: [T001, T002]
---
# Do it
"""


def wp_file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "WP02.md"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_title_and_subtasks_come_from_the_front_matter(tmp_path: Path) -> None:
    task = read_task(wp_file(tmp_path, WHOLE), "WP02")
    assert (task.title, task.subtasks) == ("Retry payments", ("T001", "T002"))
    assert task.text == WHOLE


@pytest.mark.parametrize(
    "content",
    ["# no front matter\n", "---\ntitle: [\n---\nx\n", "---\n- a\n---\nx\n", "---\n- not closed\n"],
)
def test_broken_front_matter_leaves_the_task_usable_and_is_noted(tmp_path: Path, content: str) -> None:
    task = read_task(wp_file(tmp_path, content), "WP02")
    assert task.title == "WP02"
    assert task.text == content


def test_odd_values_in_the_front_matter_are_passed_over(tmp_path: Path) -> None:
    task = read_task(wp_file(tmp_path, "---\ntitle: 7\nsubtasks: {a: b}\n---\nx\n"), "WP02")
    assert (task.title, task.subtasks) == ("WP02", ())


def test_a_byte_order_mark_and_windows_lines_are_understood(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode()
    assert read_task(wp_file(tmp_path, content), "WP02").title == "Retry payments"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b" \n\n", "empty"), (b"ok \xff", "not UTF-8"), (b"x" * 5_000_000, "larger")],
)
def test_a_file_that_is_no_prompt_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = wp_file(tmp_path, content)
    with pytest.raises(TaskError, match=reason) as caught:
        read_task(path, "WP02")
    assert str(path) in str(caught.value)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"gone\.md.*WP02.*run again"):
        read_task(tmp_path / "gone.md", "WP02")


def test_a_directory_is_no_prompt(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="cannot be read"):
        read_task(tmp_path, "WP02")


def test_reports_of_subtasks_are_read_from_the_final_message() -> None:
    message = (
        "Finished.\n\n- T001: done\n* **T002**: not done (needs a key)\n`T003` - Done\nT004 done?\nT05x: done"
    )
    assert reported(message, ("T001", "T002", "T003", "T004", "T05")) == {
        "T001": True,
        "T002": False,
        "T003": True,
    }
