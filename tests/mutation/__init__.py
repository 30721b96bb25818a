"""Mutation testing of the engine and of every backward rule: does a test fail for each small change of their code?

`python -m tests.mutation` makes the changes and runs the tests, `docs/mutation.md` is what it found last.
"""

import sys
from pathlib import Path

_examples = str(Path(__file__).parents[2] / "examples")  # what the scripts of the reports share, as pytest puts it on the path
if _examples not in sys.path:
    sys.path.append(_examples)
