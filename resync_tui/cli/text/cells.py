"""Texts of a width in terminal cells: wide characters take two, combining ones none."""

from resync_tui.printable import clipped


def pad(text: str, width: int) -> str:
    """Return a text filled up to a width in terminal cells; wide characters take two, combining ones none."""
    from rich.cells import cell_len

    shown = clipped(text)
    return shown + " " * (width - cell_len(shown))


def cut(text: str, width: int) -> str:
    """Return a text of exactly a width in terminal cells, cut or filled up."""
    from rich.cells import set_cell_size

    return set_cell_size(clipped(text), width)


def shortened(text: str, width: int) -> str:
    """Return a text of at most a width in terminal cells."""
    from rich.cells import cell_len

    shown = clipped(text)
    return shown if cell_len(shown) <= width else cut(shown, width)
