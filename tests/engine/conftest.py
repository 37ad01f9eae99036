"""Chance for the tests of this folder, and how their ends are compared."""

from tests.accounts.chance import random as random
from tests.engine.comparison import comparison as comparison
from tests.engine.comparison import database as database
