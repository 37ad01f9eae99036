"""TOML into dataclasses, and errors that name the key and no value."""

from dataclasses import dataclass

import pytest

from resync_tui.errors import ConfigError
from resync_tui.files.toml import CLOSED, parse


@dataclass(frozen=True)
class _Inner:
    __pydantic_config__ = CLOSED
    url: str
    size: int = 1


@dataclass(frozen=True)
class _Outer:
    __pydantic_config__ = CLOSED
    inner: tuple[_Inner, ...]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("inner = [", "f.toml is not valid TOML"),
        ("[[inner]]\nurl = 'a'\n[[inner]]\nsize = 2", "f.toml: inner[2].url is missing"),
        ("[[inner]]\nurl = 'a'\nsiez = 2", "f.toml: unknown key inner[1].siez; the nearest is size"),
        ("[[inner]]\nurl = 'secret'\nsize = 'hunter2'", "f.toml: inner[1].size: input should be a valid integer"),
    ],
)
def test_toml_that_does_not_fit_is_named_and_no_value_is_shown(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(_Outer, text, "f.toml")
    assert caught.value.what.startswith(what)
    assert "hunter2" not in caught.value.what
    assert caught.value.do
