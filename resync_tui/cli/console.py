"""The console: open the screens on this terminal, with what they need from the rest of the program."""

from typing import TYPE_CHECKING

from resync_tui.errors import UsageError

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings
    from resync_tui.control.store import Store


def open_screens(settings: "Settings") -> int:
    """Run the screens until the user leaves; return the exit code. Raises UsageError without a terminal, NoRight."""
    from resync_tui import rights
    from resync_tui.config.load import load_catalog
    from resync_tui.screens import terminal

    if (why := terminal.why_no_terminal()) is not None:
        what, _, do = why.partition(". ")
        raise UsageError(what, do)
    terminal.block_endings()
    url, catalog = settings.control_url(), load_catalog(settings)
    user = rights.require(url)

    from resync_tui.screens.app import ResyncApp

    async def open_store() -> "Store":
        from resync_tui.config.school_years import allowed_by
        from resync_tui.control.store import Store

        return await Store.open(url, edition=rights.edition_of(settings), allowed=allowed_by(settings))

    def start_agent() -> str | None:
        from resync_tui.cli import wait

        return wait.start_agent(settings)

    def may_start() -> bool:
        from resync_tui.cli import wait

        return wait.may_start(settings)

    app = ResyncApp(
        settings, catalog, open_store=open_store, start_agent=start_agent, may_start=may_start, user=user
    )  # fmt: skip
    return terminal.run(app)
