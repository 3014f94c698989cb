"""When a worktree is set up, and what that leaves of it for git to see."""

from __future__ import annotations

import pytest
from kitty_run.profile.workspace import WorkspaceConfig

from tests.execution.setup.desk import CutOff, Desk, shell, steps

pytestmark = pytest.mark.whole

THREE = steps(
    shell("first", "mkdir -p deps && touch deps/x"), shell("second", "true"), shell("third", "true")
)


def test_it_runs_once_whoever_asks_again(desk: Desk) -> None:
    assert desk.ran(THREE) == ["first", "second", "third"]
    assert desk.ran(THREE) == []
    assert desk.tree.status() == ""


def test_it_runs_again_in_a_worktree_that_was_made_anew(desk: Desk) -> None:
    nothing_left = steps(shell("up", "true"))
    assert desk.ran(nothing_left) == ["up"]
    desk.root.git("worktree", "remove", "--force", str(desk.tree.path))
    desk.root.git("worktree", "add", "-q", str(desk.tree.path), "m-WP01")
    assert desk.ran(nothing_left) == ["up"]


def test_it_runs_again_where_something_that_it_made_is_gone(desk: Desk) -> None:
    desk.ran(THREE)
    (desk.tree.path / "deps" / "x").unlink()
    (desk.tree.path / "deps").rmdir()
    assert desk.ran(THREE) == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("lock.json", "lock.json"),
        ("deps/**/*.json", "deps/a/b/c.json"),
        ("deps", "deps/any"),
        (".local", ".local"),
    ],
)
def test_it_runs_again_from_the_first_step_on_whose_inputs_changed(
    desk: Desk, pattern: str, path: str
) -> None:
    desk.tree.write(".gitignore", ".local\n")
    config = steps(shell("first", "true"), shell("second", "true", [pattern]), shell("third", "true"))
    desk.ran(config)
    desk.tree.write(path, "new")
    assert desk.ran(config) == ["second", "third"]
    desk.tree.write("other.txt", "no input")
    assert desk.ran(config) == []
    desk.tree.write(path, "changed")
    desk.tree.commit()  # or merged in
    assert desk.ran(config) == ["second", "third"]
    (desk.tree.path / path).unlink()
    assert desk.ran(config) == ["second", "third"]


def test_another_command_runs_and_so_does_what_comes_after_it(desk: Desk) -> None:
    desk.ran(steps(shell("first", "true"), shell("second", "true")))
    assert desk.ran(steps(shell("first", "true"), shell("second", "exit 0"), shell("third", "true"))) == [
        "second",
        "third",
    ]


def test_what_failed_runs_again_and_nothing_before_it(desk: Desk) -> None:
    config = steps(shell("first", "true"), shell("second", "test -e /nowhere"), shell("third", "true"))
    result, ran = desk.set_up(config)
    assert ran == ["first", "second"]
    assert result.failed is not None
    assert result.failed.name == "second"
    assert desk.ran(config) == ["second"]


def test_a_command_that_is_missing_failed(desk: Desk) -> None:
    result, _ = desk.set_up(steps(shell("ok", "true"), shell("gone", "no-such-installer")))
    assert result.failed is not None
    assert "no-such-installer" in result.failed.tail


def test_a_setup_that_was_cut_off_runs_again(desk: Desk) -> None:
    with pytest.raises(CutOff):
        desk.set_up(THREE, fails_at="second")
    assert desk.ran(THREE) == ["first", "second", "third"]


def test_nothing_in_the_worktree_makes_it_believed(desk: Desk) -> None:
    desk.ran(THREE)
    kept = [path for path in desk.folder.rglob("*") if path.is_file() and path.suffix == ".json"]
    assert kept
    assert not list(desk.tree.path.rglob("*.kitty*"))
    for path in kept:  # an agent can write a copy wherever it works
        desk.tree.write(path.name, path.read_text())
        path.unlink()
    assert desk.ran(THREE) == ["first", "second", "third"]


def test_tracked_files_are_put_back_and_new_ones_are_hidden(desk: Desk) -> None:
    desk.tree.write("mine.txt", "uncommitted work")
    desk.tree.write("src/app.py", "uncommitted work")
    script = (
        "echo x >> src/app.py && rm kitty-specs/m/spec.md && rm mine.txt && mkdir -p venv/a && touch venv/a/b"
        " && touch 'src/odd [name]*.txt' '#odd' ' odd ' && git add --all"
    )
    result, _ = desk.set_up(steps(shell("install", script)))
    assert set(result.put_back) == {"src/app.py", "kitty-specs/m/spec.md", "mine.txt"}
    assert set(result.left) == {"venv/", "src/odd [name]*.txt", "#odd", " odd "}
    assert desk.tree.status().split("\n") == [" M src/app.py", "?? mine.txt"]
    assert desk.tree.read("mine.txt") == desk.tree.read("src/app.py") == "uncommitted work"
    assert (desk.tree.path / "venv" / "a" / "b").exists()
    desk.tree.git("add", "--all")
    assert desk.tree.git("diff", "--cached", "--name-only").split() == ["mine.txt", "src/app.py"]


def test_what_another_worktrees_setup_hides_is_still_what_this_one_left(desk: Desk) -> None:
    config = steps(shell("install", "mkdir venv && touch venv/x made.txt"))
    desk.set_up(config)
    other = Desk(desk.root, desk.root.worktree("m-WP02", "m-WP02"), desk.folder)
    result, _ = other.set_up(config)
    assert set(result.left) == {"venv/", "made.txt"}
    assert other.tree.status() == ""


def test_what_it_tells_git_to_ignore_is_hidden_all_the_same(desk: Desk) -> None:
    result, _ = desk.set_up(steps(shell("install", "echo '*' > .gitignore && mkdir venv && touch venv/x")))
    assert result.put_back == (".gitignore",)
    assert set(result.left) == {"venv/"}
    assert desk.tree.status() == ""


def test_it_does_not_decide_what_git_sees_of_an_agents_work(desk: Desk) -> None:
    result, _ = desk.set_up(steps(shell("install", "echo '*' > src/.gitignore")))
    assert result.refused is not None
    assert "src/.gitignore" in result.refused
    assert "src/.gitignore" not in result.left


def test_commits_and_branches_that_it_makes_are_undone(desk: Desk) -> None:
    head = desk.tree.head()
    script = (
        "git config user.name a && git config user.email a@b && git checkout -q -b other"
        " && echo x > new.txt && git add new.txt && git commit -q -m setup"
    )
    desk.set_up(steps(shell("install", script)))
    assert desk.tree.head() == head
    assert desk.tree.git("symbolic-ref", "--short", "HEAD") == "m-WP01"
    assert desk.tree.status() == ""


def test_what_the_user_excludes_stays_and_nothing_is_written_twice(desk: Desk) -> None:
    exclude = desk.root.path / ".git" / "info" / "exclude"
    exclude.write_text("# mine\n*.own\n")
    for script in ("touch a", "touch a b", "touch a b"):
        desk.set_up(steps(shell("install", script)))
    lines = exclude.read_text().splitlines()
    assert lines[:2] == ["# mine", "*.own"]
    assert [line for line in lines if not line.startswith("#")] == ["*.own", "/a", "/b"]


def test_too_many_files_to_hide_are_a_failure_that_says_what_to_do(desk: Desk) -> None:
    result, _ = desk.set_up(steps(shell("install", "for n in $(seq 300); do touch src/$n; done")))
    assert result.refused is not None
    assert ".gitignore" in result.refused
    assert desk.ran(WorkspaceConfig(setup=(shell("install", "true"),))) == ["install"]
