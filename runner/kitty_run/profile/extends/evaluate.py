"""What a stricter base would refuse in a profile, before anybody has to extend it."""

from __future__ import annotations

from pathlib import Path

from kitty_run.profile.extends.layers import Chain, Finder, Origin
from kitty_run.profile.extends.lockfile import Locker
from kitty_run.profile.extends.merge import Layer
from kitty_run.profile.extends.sources import GitSource, parse_source
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.yaml.reader import Unreadable


def base_layers(base: str) -> list[Layer]:
    """The layers of `base`, a file or a `git+` source (which is fetched, and pinned nowhere).

    Raises ProfileInvalid with what is wrong with it, ValueError where it is no source.
    """
    finder = Locker({}, update=True)
    chain = Chain(finder)
    try:
        chain.add(_origin(base, finder))
    except Unreadable as error:
        raise ProfileInvalid([error.problem]) from error
    if chain.problems:
        raise ProfileInvalid(chain.problems)
    return list(chain.layers)


def _origin(base: str, finder: Finder) -> Origin:
    if not base.startswith("git+"):
        return Origin(Path(base))
    source = parse_source(base)
    tree = finder.tree(source)
    return Origin(tree / source.path, False, source, tree, source.path)


def below(base: list[Layer], layers: list[Layer]) -> list[Layer]:
    """`layers` over those of `base`, which take the place of the same files in other revisions."""
    names = {_file(layer) for layer in base}
    return [*base, *(layer for layer in layers if _file(layer) not in names)]


def _file(layer: Layer) -> tuple[str, str]:
    """Which file a layer is: of a repository, whatever the revision."""
    if layer.source.name.startswith("git+"):
        source: GitSource = parse_source(layer.source.name)
        return source.url, source.path
    return "", str(layer.source.path.resolve()) if layer.source.path else layer.source.name
