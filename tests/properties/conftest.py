"""How the ends of the tests of this folder are compared."""

from tests.engine.comparison import comparison as comparison
