"""Work without an engine: it moves nothing, but writes down what it does, and does as a folder's files say.

`play/DISTRICT` says how the work goes: `complete` (when there is no file), `block` (until `play/DISTRICT.go` exists),
`fail`, `break N` (connections break N times), `unreachable`, `lose`, `outrun N` (the state has that token), `crash`.
`journal` has a line an act: district, token, act.
"""

import sys
from pathlib import Path

import anyio

from resync_tui.agent.run import Work
from resync_tui.config.settings import Settings
from resync_tui.control.progress import Lease
from resync_tui.engine.events import Note, ObjectEnded, ObjectProgress, ObjectStarted, RecordsRefused, Report
from resync_tui.errors import CannotRun, ConnectionLost, FenceAhead, LeaseLost, Unreachable
from resync_tui.outcome import Counts, Kind, Status

TOTAL = 1000


class FakeWork:
    """What `work_of` wants, over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "play").mkdir(exist_ok=True)

    def play(self, district: str, how: str) -> None:
        """Say how the work of a district goes from now on."""
        (self.folder / "play" / district).write_text(how)

    def go(self, district: str) -> None:
        """Let a blocked district finish."""
        (self.folder / "play" / f"{district}.go").touch()

    def journal(self) -> list[tuple[str, int, str]]:
        """Return district, token and act, in order, of all processes."""
        file = self.folder / "journal"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(district, int(token), act) for district, token, act in (line.split(maxsplit=2) for line in lines)]

    def __call__(self, _settings: Settings, lease: Lease) -> Work:
        async def run(report: Report) -> Status:
            self._write(lease, "begin")
            try:
                return await self._run(lease, report)
            except BaseException as error:
                self._write(lease, f"cleaned up after {type(error).__name__}")
                raise
            finally:
                self._write(lease, "end")

        async def clear() -> None:
            self._write(lease, "clear")

        return Work(run, clear)

    def _write(self, lease: Lease, act: str) -> None:
        with (self.folder / "journal").open("a") as journal:
            journal.write(f"{lease.district} {lease.token} {act}\n")

    async def _run(self, lease: Lease, report: Report) -> Status:
        file = self.folder / "play" / lease.district
        how = file.read_text() if file.exists() else "complete"
        if how == "unreachable":
            raise Unreachable(f"Cannot reach district {lease.district}: no answer", "Check the network.")
        report(Note("snapshot of the district taken"))
        if how == "fail":
            report(ObjectStarted(lease.plan.names[0]))
            raise CannotRun("Table School is missing in the state", "Run: resync-tui state init")
        if how.startswith("break") and int(how.split()[1]) > 0:
            file.write_text(f"break {int(how.split()[1]) - 1}")
            self._refuse(lease, report)
            raise ConnectionLost("The connection broke: the state", "The batch starts again by itself.")
        if how == "lose":
            raise ExceptionGroup("", [ExceptionGroup("", [LeaseLost("Another agent runs this batch", "Nothing.")])])
        if how.startswith("outrun") and (token := int(how.split()[1])) >= lease.token:
            raise FenceAhead(f"The fence is ahead (token {token})", "Send it again.", token)
        if how == "crash":
            raise ValueError("a pupil called Marker McMarkerface")
        for name in lease.plan.names:
            await self._move(lease, report, name, blocked=how == "block")
        return Status.COMPLETED

    async def _move(self, lease: Lease, report: Report, name: str, *, blocked: bool) -> None:
        report(ObjectStarted(name))
        done = 0
        while blocked and not (self.folder / "play" / f"{lease.district}.go").exists():
            done = min(done + 1, TOTAL - 1)
            report(ObjectProgress(name, "merging", done, TOTAL, Counts(processed=done, inserted=done)))
            self._write(lease, "chunk")
            await anyio.sleep(0.02)
        await anyio.sleep(0.02)
        self._refuse(lease, report)
        counts = Counts(processed=TOTAL, inserted=TOTAL - 3, rejected=3)
        report(ObjectEnded(name, Status.COMPLETED, counts))

    def _refuse(self, lease: Lease, report: Report) -> None:
        name = lease.plan.names[0]
        report(RecordsRefused(name, name, Kind.REJECTED, "name is too long", 3, ({"id": 1}, {"id": 2})))


async def run_faked(settings: Settings) -> FakeWork:
    """Let an agent do what is queued, in this process; its work is faked."""
    from resync_tui.agent.service import run_agent

    work = FakeWork(settings.path.parent)
    await run_agent(settings, once=True, idle_seconds=None, work_of=work)
    return work


async def main(config: Path, *options: str) -> None:
    """Run an agent with this work over the folder of its resync.toml."""
    from resync_tui.agent.service import run_agent
    from resync_tui.config.load import load_settings

    once, idle = "--once" in options, None if "--idle" not in options else 0.3
    await run_agent(load_settings(config), once=once, idle_seconds=idle, work_of=FakeWork(config.parent))


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), *sys.argv[2:])
