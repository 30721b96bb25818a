"""The tape drawn as rows with lanes, as `git log --graph` draws commits: newest first, a lane for each gradient under way."""

from __future__ import annotations


def lanes(sources: list[list[int]]) -> tuple[list[int], list[tuple[int, int, int]]]:
    """The lane of each row, and (from row, to row, lane between them) for each edge; `sources[row]` lists rows further down.

    A lane is taken where an edge begins and is free again at the row where it ends. The edge that goes furthest stays in the
    row's own lane; the others, nearest first, take the leftmost free ones.
    """
    ends: list[int | None] = []  # by lane, the row that it leads to
    places: list[int] = []
    edges: list[tuple[int, int, int]] = []
    begun: dict[int, list[tuple[int, int]]] = {}  # by row, (from row, lane) of the edges that end there
    for row, targets in enumerate(sources):
        arriving = begun.pop(row, [])
        own = min((lane for _, lane in arriving), default=None)
        for _, lane in arriving:
            ends[lane] = None
        edges.extend((start, row, lane) for start, lane in arriving)
        if own is None:
            own = _free(ends)
        places.append(own)
        for target in sorted(set(targets), reverse=True):
            shared = next((lane for lane, end in enumerate(ends) if end == target), None)
            lane = shared if shared is not None else own if ends[own] is None else _free(ends)
            ends[lane] = target
            begun.setdefault(target, []).append((row, lane))
    return places, edges


def _free(ends: list[int | None]) -> int:
    if None not in ends:
        ends.append(None)
    return ends.index(None)
