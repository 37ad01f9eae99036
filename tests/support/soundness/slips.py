"""All that can be wrong with a world, and all that is odd but right."""

from tests.support.soundness import catalog_slips, end_slips

SLIPS = {**catalog_slips.SLIPS, **end_slips.SLIPS}
"""What is wrong, by what the tally calls it."""
RIGHT = {f"right: {name}": change for name, change in {**catalog_slips.RIGHT, **end_slips.RIGHT}.items()}
"""What is as odd, and nothing is wrong with it."""
