"""Chance for the tests of this folder."""

from tests.accounts.chance import random as random
