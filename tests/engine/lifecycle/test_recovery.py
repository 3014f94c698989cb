"""What follows a failed attempt, where the row says more than once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kitty_run.engine.shutdown import EndCode
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, RetryRow

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good


def test_refresh_after_a_failed_attempt_reads_the_mission_again(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.wp != "WP01":
            return good(job)
        world.host.move("WP01", Lane.CANCELED)
        return job.fail()

    made = profiles.profile()
    agent = {"default": RetryRow(Action.REFRESH, attempts=1)}
    profile = replace(made, retry=replace(made.retry, agent=agent))
    world = World(tmp_path, {"WP01": [], "WP02": []}, profile=profile, script=script)
    report = world.run()
    assert report.work_packages["WP01"].code is EndCode.CANCELED
    assert world.operations("WP01").count("claim") == 1
    assert report.work_packages["WP02"].code is EndCode.COMPLETED
