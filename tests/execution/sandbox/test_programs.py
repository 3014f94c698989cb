"""Which folders a program needs, and which must not become readable with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.execution.sandbox.programs import Surroundings, installations


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home" / "me"
    made.mkdir(parents=True)
    return made


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def needed(home: Path, path: Path, *search: Path) -> set[str]:
    """What `path` needs below the home directory."""
    around = Surroundings(home, home / "work" / "ws")
    env = {"PATH": ":".join(map(str, search))}
    found = installations(str(path), env, around)
    return {str(one.relative_to(home)) for one in found if one.is_relative_to(home)} - {".rustup"}


def test_a_link_leads_to_the_whole_installation(home: Path) -> None:
    program(home / ".npm-global/lib/node_modules/robo/dist/cli.js", "#!/usr/bin/env node\n")
    link = home / ".local/bin/robo"
    link.parent.mkdir(parents=True)
    link.symlink_to(home / ".npm-global/lib/node_modules/robo/dist/cli.js")
    assert needed(home, link) == {".npm-global", ".local/bin"}


def test_a_first_line_leads_to_the_interpreter(home: Path) -> None:
    python = program(home / ".local/share/uv/tools/robo/bin/python", "")
    robo = program(home / ".local/share/uv/tools/robo/bin/robo", f"#!{python}\n")
    assert needed(home, robo) == {".local/share/uv/tools/robo"}
    node = program(home / ".nvm/v22/bin/node", "")
    script = program(home / "apps/robo/dist/cli.js", "#!/usr/bin/env node\n")
    (home / "apps/robo/package.json").write_text("{}")
    assert needed(home, script, node.parent) == {"apps/robo", ".nvm/v22", ".nvm/v22/bin"}


def test_a_folder_on_the_path_brings_what_is_installed_beside_it(home: Path) -> None:
    for name in ("venv/pyvenv.cfg", ".pyenv/libexec/pyenv", ".cargo/credentials.toml"):
        program(home / name)
    search = [home / "venv/bin", home / ".pyenv/shims", home / ".cargo/bin"]
    for folder in search:
        folder.mkdir(parents=True, exist_ok=True)
    assert needed(home, Path("true"), *search) == {
        *("venv", "venv/bin", ".pyenv", ".pyenv/shims", ".cargo/bin")
    }


def test_a_home_behind_a_link_is_not_readable_by_its_real_path(home: Path) -> None:
    link = home.parent.parent / "link"
    link.symlink_to(home)
    (home / "lib").mkdir()
    path = program(home / "bin/robo")
    around = Surroundings(link, home / "work" / "ws")
    found = set(installations(str(path), {"PATH": str(path.parent)}, around))
    assert home not in found
    assert path.parent in found


@pytest.mark.parametrize("name", ["robo", "bin/robo", ".local/bin/robo", "work/bin/robo"])
def test_neither_home_nor_what_is_around_the_workspace_is_readable_with_a_program(
    home: Path, name: str
) -> None:
    path = program(home / name)
    for folder in (home / "lib", home / ".local/lib", home / "work/lib"):
        folder.mkdir(parents=True)
    found = needed(home, path, path.parent)
    assert found <= {name, str(Path(name).parent)} - {"."}
    assert found
