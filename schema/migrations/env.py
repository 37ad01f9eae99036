"""How Alembic reaches the control database: over the connection and within the transaction it is handed.

A change of the tables is a change in `control/models/`, a revision in `versions` (made from `script.py.mako`, or
by hand) and its number in `control/migrate.py`; `tests/control/test_migrate.py` holds the three together.
"""

from alembic import context

from resync_tui.control.migrate import VERSION_TABLE
from resync_tui.control.models import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
