"""`python -m resync_tui` is the command `resync-tui`."""

from resync_tui.cli.main import main

main()
