"""What a session writes first: the surroundings that everything later in the journal happens in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from socket import gethostname

from kitty_run.engine.state.events import FoundWorkPackage, RunStarted
from kitty_run.host.model import MissionState
from kitty_run.host.protocol import Host
from kitty_run.process_identity import identity
from kitty_run.profile.model import Profile


def header(kind: type[RunStarted], profile: Profile, host: Host, state: MissionState) -> RunStarted:
    """`RunStarted` or `RunResumed` for this process, with the lanes as found."""
    return kind(
        mission=state.mission,
        profile=str(profile.path),
        digest=profile.digest,
        dialect=host.dialect,
        contract=host.contract,
        topology=host.topology.name,
        pid=os.getpid(),
        machine=gethostname(),
        process=identity(os.getpid()),
        work_packages={wp.id: FoundWorkPackage(wp.lane, wp.dependencies) for wp in state.work_packages},
    )


def as_yaml(document: Mapping[str, object]) -> str:
    """The resolved profile as it is kept beside the journal."""
    import yaml

    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
