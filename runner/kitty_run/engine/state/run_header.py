"""What a session tells first: the surroundings that everything later in the journal happens in."""

from __future__ import annotations

import os
from socket import gethostname

from kitty_run.host.model import Host, MissionState
from kitty_run.profile.model import Profile


def header(profile: Profile, host: Host, state: MissionState) -> dict[str, object]:
    """The data of `run.started` and `run.resumed`, this process included, with the lanes as found."""
    return {
        "mission": state.mission,
        "profile": str(profile.path),
        "digest": profile.digest,
        "dialect": host.dialect,
        "contract": host.contract,
        "topology": host.topology.name,
        "pid": os.getpid(),
        "machine": gethostname(),
        "work_packages": {
            wp.id: {"lane": wp.lane.value, "dependencies": list(wp.dependencies)}
            for wp in state.work_packages
        },
    }
