"""The table of the measurements."""

import unicodedata
from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    """One measure: what it is called, what came out, beside what, against which goal."""

    name: str
    title: str
    measured: str
    beside: str
    goal: str
    met: bool | None
    figures: dict = field(default_factory=dict)

    @property
    def verdict(self):
        return {True: "met", False: "NOT MET", None: "–"}[self.met]

    def as_dict(self):
        return asdict(self)


def width(text):
    return sum(0 if unicodedata.combining(letter) else 1 for letter in text)


def table(rows):
    """A Markdown table that is also one to the eye."""
    lines = [["measure", "measured", "limit or peer, same run", "goal", "met?"]]
    lines += [[row.title, row.measured, row.beside, row.goal, row.verdict] for row in rows]
    widths = [max(width(line[column]) for line in lines) for column in range(len(lines[0]))]
    rendered = [
        "| " + " | ".join(cell + " " * (size - width(cell)) for cell, size in zip(line, widths)) + " |"
        for line in lines
    ]
    rendered.insert(1, "|" + "|".join("-" * (size + 2) for size in widths) + "|")
    return "\n".join(rendered)
