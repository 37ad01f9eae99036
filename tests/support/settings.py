"""A resync.toml of one district, as text, for tests that open none of its databases."""

ONE_DISTRICT = """
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "sqlite:///state.db"
[years]
current = 2026
[[district]]
id = "01"
name = "Abbott"
url = "sqlite:///abbott.db"
"""
