"""What figures and tables are in HTML: a description for those who do not see, headers that say what they head."""

import html
import re

import pandas as pd

from lib.notebook.plots import count_or_short

LONG = 12  # rows; longer tables can be sorted on the site
WORDY = 18  # characters; a cell with more gets room for words
HEAD = re.compile(r"<thead>.*?</thead>", re.DOTALL)
ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
CELL = re.compile(r"<th([^>]*)>(.*?)</th>", re.DOTALL)
VALUE = re.compile(r"<td([^>]*)>(.*?)</td>", re.DOTALL)
CLASS = re.compile(r' style="text-align: right;"| class="[^"]*"')  # pandas' own; its marks go by the cells' names
NUMBER = re.compile(r"[+\-−<≤≥]?\s*[\d.][\d.,:;%±e+\-−()\[\]\s]*$|[–-]$|nan$")  # an interval or spread may follow


def description(title: str, caption: str, data: pd.DataFrame, most: int = 4) -> str:
    """Text in place of a picture: its caption, and what its data span.

    Args:
        title, caption: as shown; the columns are called as in the CSV.
        most: columns whose ranges are told.

    >>> data = pd.DataFrame({"split": ["a", "b"], "epoch": [1, 9], "loss": [2.5, 0.31]})
    >>> description("Figure 6.", "Training.", data)
    'Figure 6. Training. 2 rows of data: epoch 1 to 9, loss 0.310 to 2.5.'
    """
    measured = data.reset_index() if data.index.names != [None] else data
    measured = measured.select_dtypes("number").dropna(axis="columns", how="all")
    ranges = [
        f"{name} {' to '.join(dict.fromkeys((count_or_short(values.min()), count_or_short(values.max()))))}"
        for name, values in list(measured.items())[:most]
    ]
    told = f" {len(data)} rows of data: {', '.join(ranges)}." if ranges else ""
    return f"{title} {caption}{told}"


def figcaption(title: str, caption: str, about: str, made: str) -> str:
    """The caption of a figure or table.

    Args:
        about: whose numbers they are.
        made: HTML, what made them.
    """
    return (
        f"<figcaption><b>{title}.</b> {html.escape(caption)} <i>{html.escape(about)}.</i>"
        f'<span class="made">{made}</span></figcaption>'
    )


def accessible(table: str) -> str:
    """A table as pandas writes it, with one row of headers, each with its scope, in a box of its own that scrolls.

    >>> print(accessible(pd.DataFrame({"b": [1]}, index=pd.Index(["x"], name="a")).to_html(border=0)))
    <div class="scroll" tabindex="0"><table class="dataframe">
      <thead>
        <tr><th scope="col">a</th><th scope="col" class="number">b</th></tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">x</th>
          <td class="number">1</td>
        </tr>
      </tbody>
    </table></div>
    """
    style, table = table[: table.index("<table")], table[table.index("<table") :].strip()
    table = re.sub(r' border="\d+"', "", table)
    if 'class="dataframe' not in table:
        table = table.replace("<table", '<table class="dataframe"', 1)
    head = HEAD.search(table)
    if head is None:
        raise ValueError("a table without headers: give its columns names")
    body = VALUE.sub(_value, CELL.sub(_row_header, table[head.end() :]))
    first = re.findall(r"<t[hd][^>]*>", body.partition("</tr>")[0])
    numbers = ["number" in cell for cell in first]
    if body.count("<tr") > LONG and "rowspan" not in body:
        table = table.replace('class="dataframe', 'class="dataframe sortable', 1)
        head = HEAD.search(table) or head
    return f'{style}<div class="scroll" tabindex="0">{table[: head.start()]}{_one_row(head[0], numbers)}{body}</div>'


def _one_row(head: str, numbers: list[bool]) -> str:
    """Pandas puts the names of the columns and of the index in two rows, each with blanks: one row of both.

    Args:
        numbers: columns, those of the index too, that hold numbers.
    """
    rows = [CELL.findall(row) for row in ROW.findall(head)]
    if len(rows) > 1:
        *further, above, last = rows
        names = [cell for cell in last if _text(cell)]
        if len(last) == len(above) and last[: len(names)] == names and not any(map(_text, above[: len(names)])):
            rows = [*further, [*names, *above[len(names) :]]]
    lines = []
    for row in rows:
        kinds = numbers if len(row) == len(numbers) else [False] * len(row)
        cells = [_column_header(cell[0], cell[1], number) for cell, number in zip(row, kinds, strict=True)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "<thead>\n    " + "\n    ".join(lines) + "\n  </thead>"


def _text(cell: tuple[str, str]) -> str:
    return cell[1].replace("&nbsp;", "").strip()


def _column_header(attributes: str, content: str, number: bool) -> str:
    attributes = CLASS.sub("", attributes).rstrip() + (' class="number"' if number else "")
    if not content.replace("&nbsp;", "").strip():
        return f"<td{attributes}></td>"
    return f'<th scope="{"colgroup" if "colspan" in attributes else "col"}"{attributes}>{content}</th>'


def _row_header(found: re.Match[str]) -> str:
    scope = "rowgroup" if "rowspan" in found[1] else "row"
    return f'<th scope="{scope}"{CLASS.sub("", found[1]).rstrip()}{_kind(found[2], number="")}>{found[2]}</th>'


def _value(found: re.Match[str]) -> str:
    return f"<td{CLASS.sub('', found[1]).rstrip()}{_kind(found[2])}>{found[2]}</td>"


def _kind(content: str, number: str = ' class="number"') -> str:
    """What a cell holds, as a class: a number or many words."""
    if NUMBER.match(content.strip()):
        return number
    return ' class="text"' if len(content) > WORDY else ""
