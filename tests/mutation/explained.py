"""Why each mutant that no test kills changes nothing that a user could see."""

from __future__ import annotations

Place = tuple[str, str, str, str]

# The sentence, and the mutants it speaks of: (file, function, line before, line after).
REASONS: list[tuple[str, list[Place]]] = []

EXPLAINED: dict[Place, str] = {place: sentence for sentence, places in REASONS for place in places}
