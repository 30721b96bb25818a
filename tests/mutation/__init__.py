"""Mutation testing of the engine and of every backward rule: does a test fail for each small change of their code?

`python -m tests.mutation` makes the changes and runs the tests, `docs/mutation.md` is what it found last.
"""

import tests.figures  # which puts on the path what pytest does, the scripts of the reports among it
