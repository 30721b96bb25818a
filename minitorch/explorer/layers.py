"""The tape as a layered map: modules, or single operations where there are none, by their longest way from the loss."""

from __future__ import annotations

from html import escape

WIDTH, STEP = 536, 64  # pixels of the map, and from one layer to the next


def layered(names: list[str], sources: list[set[int]]) -> str:
    """An SVG of boxes and the gradients between them; `sources[i]` are the later boxes to which box `i` sends one."""
    level = [0] * len(names)
    above: list[list[int]] = [[] for _ in names]
    for i, targets in enumerate(sources):
        for j in targets:
            level[j] = max(level[j], level[i] + 1)
            above[j].append(i)
    x = [0.0] * len(names)
    for layer in range(max(level) + 1):
        row = [i for i in range(len(names)) if level[i] == layer]
        row.sort(key=lambda i: sum(x[j] for j in above[i]) / len(above[i]) if above[i] else 0)
        for k, i in enumerate(row):
            x[i] = WIDTH * (k + 0.5) / len(row)
    y = [28 + STEP * layer for layer in level]
    lines, boxes = [], []
    for i, targets in enumerate(sources):
        for j in sorted(targets):
            bow = 120 if level[j] > level[i] + 1 and abs(x[i] - x[j]) < 40 else 0  # past the boxes between
            middle = f"{x[i] + bow:.0f} {y[i] + STEP / 2:.0f} {x[j] + bow:.0f} {y[j] - STEP / 2:.0f}"
            lines.append(f'<path d="M{x[i]:.0f} {y[i] + 12}C{middle} {x[j]:.0f} {y[j] - 12}"/>')
    for i, name in enumerate(names):
        half = 4 * len(name) + 10
        boxes.append(
            f'<g id="m{i}"><rect x="{x[i] - half:.0f}" y="{y[i] - 12}" width="{2 * half}" height="24" rx="3"/>'
            f'<text x="{x[i]:.0f}" y="{y[i] + 4}" fill="currentColor" stroke="none">{escape(name)}</text></g>'
        )
    look = 'class="map dim" fill="none" stroke="currentColor" text-anchor="middle"'
    return f'<svg {look} width="{WIDTH}" height="{max(y) + 40}">{"".join(lines + boxes)}</svg>'
