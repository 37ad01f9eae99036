"""A resync.toml of one district, as text."""


def one_district(
    *,
    district: str = "sqlite:///abbott.db",
    state: str = "sqlite:///state.db",
    control: str = "sqlite:///control.db",
    catalog: bool = False,
) -> str:
    """Return the text, by the URLs of its databases; `catalog`: with one of its own, in objects.toml."""
    return f"""
[control]
url = "{control}"
[state]
name = "NV"
url = "{state}"
[years]
current = 2026
[[district]]
id = "01"
name = "Abbott"
url = "{district}"
""" + ('[catalog]\nfile = "objects.toml"\n' if catalog else "")


ONE_DISTRICT = one_district()
"""For tests that open none of its databases."""
