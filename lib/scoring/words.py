"""Numbers in words, as computed sentences and tables write them."""

import math
from collections.abc import Iterable, Mapping


def number(value: float, form: str = ".1f") -> str:
    """A number without a negative zero; a dash if it is missing.

    >>> number(-0.04, "+.1f"), number(12.345), number(float("nan"))
    ('+0.0', '12.3', '–')
    """
    return "–" if math.isnan(value) else format(round(value, int(form[-2])) + 0.0, form)


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "split"), counted(5, "split")
    ('1 split', '5 splits')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def span(values: Iterable[float], form: str = ".1f") -> str:
    """The range from the least to the greatest value, or one number if both look the same.

    >>> span([0.31, 0.12]), span([0.21, 0.19]), span([float("nan")])
    ('0.1 to 0.3', '0.2', '–')
    """
    known = [value for value in values if not math.isnan(value)]
    ends = [number(end, form) for end in ((min(known), max(known)) if known else (math.nan, math.nan))]
    return " to ".join(dict.fromkeys(ends))


def interval(row: Mapping, measure: str = "", form: str = "+.1f") -> str:
    """A value with its 95 % interval, if it has one, from the entries `measure`, `measure low` and `measure high`.

    >>> interval({"accuracy": 1.14, "accuracy low": -0.04, "accuracy high": 2.5}, "accuracy")
    '+1.1 [+0.0, +2.5]'
    """
    value, low, high = (number(float(row[f"{measure}{end}"]), form) for end in ("", " low", " high"))
    return value if low == "–" else f"{value} [{low}, {high}]"
