"""Checks of backward rules: exercises for students (`python -m minitorch.check`), and a test per property for pytest users."""

from minitorch.check.exercises import EXERCISES, Exercise
from minitorch.check.properties import op_checks

__all__ = ["EXERCISES", "Exercise", "op_checks"]
