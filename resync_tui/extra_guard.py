"""What keeps extra records from being removed, as far as a comparison tells; pure. The engine has the last word."""

from resync_tui.control.views import ObjectResult


def held_back(compared: ObjectResult, largest_share: float) -> str:
    """Return why no extra record of an object can go, in words; empty where a removal may be tried.

    The state may hold fewer than are counted here, as refused records may be there or not: what is held back here is
    held back by the engine too.
    """
    counts = compared.counts
    if not counts.extra:
        return ""
    if not counts.processed:
        return "the district has no such record at all"
    held = counts.unchanged + counts.updated + counts.errors + counts.extra
    if counts.extra > largest_share * held:
        return f"{counts.extra} of at most {held} are over {largest_share:.0%} ([engine] extra_share)"
    return ""
