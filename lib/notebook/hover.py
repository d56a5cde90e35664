"""Figures with hover values for the site, from the data of the printed ones: `book.figure(…, hover=curves(…))`.

Each function gives title -> Bokeh figure, a panel each; `a | b` puts the panels of two together.

Bokeh on the site: its script as a file, figures as JSON. No server and no network; works from the file system.

The pages load `interactive.js`; it loads `bokeh.min.js` only where there is something to show.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bokeh
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, HoverTool, Model
from bokeh.plotting import figure
from bokeh.transform import linear_cmap
from matplotlib.colors import to_hex
from seaborn import color_palette

from lib.core.paths import WEB
from lib.notebook.plots import MEAN_COLOUR, PRETRAINING_LOSSES, SPLIT_COLOURS
from lib.scoring.confusion import Matrices, row_shares, summed

Panels = dict[str, figure]


DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot")  # a split a dash, so that colour is not alone


MARKED = 15  # points of a line that are marked, as in the printed figure


DIGITS = 5  # of a number in the page


BLUES = [to_hex(colour) for colour in color_palette("Blues", 32)]


def learning_curves(history: pd.DataFrame, values: Mapping[str, str], title: str = "") -> Panels:
    """One line a split and their mean; the hover text gives an epoch's values of all of them.

    Args:
        history: columns split, epoch and those of `values`, as of lib.notebook.plots.learning_curves.
        values: column -> label of the vertical axis, a panel each.
        title: of the panels, before the label.
    """
    panels = {}
    for value, label in values.items():
        table = history.dropna(subset=[value]).pivot(index="epoch", columns="split", values=value)
        lines = {f"split {split}": table[split] for split in table.columns}
        colours = {f"split {split}": SPLIT_COLOURS[int(split)] for split in table.columns}
        if len(lines) > 1:
            lines["mean"] = table.mean(axis=1)
        panels[f"{title}, {label}" if title else label] = _lines(lines, colours, title, label)
    return panels


def labelled_curves(curves: Mapping[str, pd.Series], label: str, across: str = "epoch") -> Panels:
    """One line a named series over its index.

    Args:
        label: of the vertical axis.
        across: of the horizontal one.
    """
    colours = dict(zip(curves, SPLIT_COLOURS.values(), strict=False))
    return {label: _lines(curves, colours, "", label, across)}


def pretraining_curves(history: pd.DataFrame) -> Panels:
    """The losses of a pre-training, as lib.notebook.plots.pretraining_curves draws them."""
    by_epoch = history.set_index("epoch")
    curves = {label: by_epoch[name] for name, label in PRETRAINING_LOSSES.items()}
    return labelled_curves(curves, "contrastive loss")


def _lines(
    lines: Mapping[str, pd.Series], colours: Mapping[str, str], title: str, label: str, across: str = "epoch"
) -> figure:
    table = pd.DataFrame(dict(lines)).sort_index()
    everything = _source(table.assign(middle=table.mean(axis=1)) if "mean" not in table else table, across)
    view = _panel(title, height=340, x_axis_label=across, y_axis_label=label)
    for number, (name, line) in enumerate(table.items()):
        mean = name == "mean"
        style = {"color": colours.get(str(name), MEAN_COLOUR), "line_width": 3 if mean else 1.6}
        style["line_dash"] = "solid" if mean else DASHES[number % len(DASHES)]
        source = everything if line.notna().all() else _source(line.dropna().to_frame(), across)  # a NaN breaks a line
        drawn = view.line(across, str(name), source=source, legend_label=str(name), **style)
        drawn.name = "ink" if mean else None
        if len(line.dropna()) <= MARKED:
            dots = view.scatter(across, str(name), source=source, size=4, color=style["color"])
            dots.name = drawn.name
    if "mean" not in table:  # the hover text hangs on a line that is always there
        drawn = view.line(across, "middle", source=everything, line_alpha=0)
    told = [(across, f"@{{{across}}}"), *((str(name), f"@{{{name}}}{{0.[000]}}") for name in table)]
    view.add_tools(HoverTool(renderers=[drawn], tooltips=told, mode="vline", line_policy="nearest"))
    view.add_layout(view.legend[0], "below")
    view.legend.orientation, view.legend.location, view.legend.ncols = "horizontal", "center", 3
    view.legend.border_line_color = view.legend.background_fill_color = None
    view.legend.label_text_font_size = "11px"
    return view


def confusions(matrices: Matrices) -> Panels:
    """A matrix a split, then their sum. Cells without seconds are left out, for the size of the page."""
    panels = {f"split {split}": matrix for split, matrix in matrices.items()}
    if len(matrices) > 1:
        panels["all splits"] = summed(matrices)
    return {name: _confusion(matrix, name) for name, matrix in panels.items()}


def _confusion(matrix: pd.DataFrame, title: str) -> figure:
    classes = [str(name) for name in matrix.index]
    cells = matrix.stack().rename("seconds").reset_index()
    cells["share"] = row_shares(matrix).to_numpy().ravel() * 100
    cells = cells[cells["seconds"] > 0]
    source = ColumnDataSource(
        {
            "true": [str(name) for name in cells["true"]],
            "predicted": [str(name) for name in cells["predicted"]],
            "share": [round(share, 1) for share in cells["share"]],
            "seconds": [int(seconds) for seconds in cells["seconds"]],
        }
    )
    axes = {"x_range": classes, "y_range": classes[::-1], "x_axis_label": "predicted", "y_axis_label": "true"}
    view = _panel(title, height=430, **axes)
    view.background_fill_color = "white"  # also on a dark page, as the scale of blues begins with white
    colour = linear_cmap("share", BLUES, 0, 100)
    view.rect("predicted", "true", 1, 1, source=source, fill_color=colour, line_color="#e4e4e4", line_width=0.5)
    told = {"truth": "@true", "predicted": "@predicted", "share of the truth": "@share{0.0} %", "seconds": "@seconds"}
    view.add_tools(HoverTool(tooltips=list(told.items())))
    view.xaxis.major_label_orientation = "vertical"
    view.axis.major_label_text_font_size = "9px"
    view.axis.major_tick_line_color = None
    view.grid.visible = False
    return view


def _panel(title: str, **about) -> figure:
    view = figure(title=title or None, sizing_mode="stretch_width", tools="", toolbar_location=None, **about)
    view.axis.axis_label_text_font_style = "normal"
    view.axis.minor_tick_line_color = None
    view.outline_line_color = view.border_fill_color = view.background_fill_color = None  # the page's, dark or light
    return view


def _source(table: pd.DataFrame, across: str) -> ColumnDataSource:
    columns = {str(name): [_rounded(value) for value in column] for name, column in table.items()}
    return ColumnDataSource({across: [_rounded(at) for at in table.index], **columns})


def _rounded(value: float) -> float:
    return float(f"{float(value):.{DIGITS}g}")


SCRIPTS = ("interactive.js",)  # for Sphinx's html_js_files


STYLES = ("interactive.css",)  # for Sphinx's html_css_files


def write_assets(static: Path) -> None:
    """Put Bokeh's script and ours into the site's folder of static files."""
    static.mkdir(parents=True, exist_ok=True)
    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    shutil.copy(script, static / "bokeh.min.js")
    for name in (*SCRIPTS, *STYLES):
        shutil.copy(WEB / name, static / name)


def as_json(value: Any) -> str:
    """JSON in one line that may stand in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def item(model: Model) -> dict[str, Any]:
    """A figure as BokehJS's `embed_item` takes it."""
    return dict(json_item(model))


def panels_html(panels: Mapping[str, Model]) -> str:
    """What `interactive.js` turns into figures side by side, in place of the picture before it in a figure element.

    Args:
        panels: title -> figure.
    """
    items = [{"title": title, "item": item(model)} for title, model in panels.items()]
    return f'<div class="interactive" hidden><script type="application/json">{as_json(items)}</script></div>'
