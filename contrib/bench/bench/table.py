"""Rows as text."""

from .cases import FIGURES


def shown(name, value):
    return "–" if value is None else f"{value:,.{FIGURES[name][1]}f}"


def line(row):
    return f"{row.system}: " + ", ".join(f"{shown(name, value)} {FIGURES[name][0]}" for name, value in row.figures.items())


def markdown(rows):
    """A table for each set of figures, aligned, with how many times better the first system of a case is than the others."""
    out = []
    for kind in dict.fromkeys(tuple(row.figures) for row in rows):
        lines = [["case", "system", *(FIGURES[name][0] for name in kind)]]
        first = {}
        for row in rows:
            if tuple(row.figures) != kind:
                continue
            ours = first.setdefault(row.case, row)
            cells = [shown(name, value) + ("" if ours is row else ratio(name, ours.figures[name], value)) for name, value in row.figures.items()]
            lines.append([row.case if ours is row else "", row.system, *cells])
        out.append(aligned(lines))
    return "\n\n".join(out)


def ratio(name, ours, theirs):
    """` (8.1×)`: how many times better ours is."""
    if not ours or not theirs:
        return ""
    return f" ({(ours / theirs if FIGURES[name][2] else theirs / ours):.1f}×)"


def aligned(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    def text(line):
        return "| " + " | ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))) + " |"
    rule = "|" + "|".join("-" * (width + 2) if column < 2 else "-" * (width + 1) + ":" for column, width in enumerate(widths)) + "|"
    return "\n".join([text(lines[0]), rule, *map(text, lines[1:])])
