"""What all tests of layers share."""

import pytest

import minitorch as mt


@pytest.fixture(autouse=True)
def seeded():
    mt.manual_seed(0)
