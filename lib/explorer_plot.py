"""The explorer's timelines as a Bokeh figure without data; lib/web/explorer.js fills it with the chosen video."""

from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, Range1d, Span
from bokeh.plotting import figure

BAR = """
<div style="max-width: 17rem">
  <b>@name</b><br>@row<br>@start{0.00} s to @end{0.00} s, @seconds{0.00} s<br>@verdict
</div>
"""
WRONG = """
<div style="max-width: 17rem">
  <b>wrong</b>, @row<br>@start{0.00} s to @end{0.00} s, @seconds{0.00} s<br>says @name<br>truth is @truth
</div>
"""


def timelines() -> figure:
    """Rows one unit high, the first at 0: a line of text, the bar, and a strip where it differs from the truth.

    Sources, by name: `bars`, `wrong` and `texts`; the playhead is the span `playhead`.
    """
    view = figure(
        name="timelines",
        height=200,
        sizing_mode="stretch_width",
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=1, end=0),
        x_axis_label="seconds",
        tools="",
        toolbar_location=None,
        min_border_left=8,
        min_border_right=14,
        outline_line_color=None,
        border_fill_color=None,  # the page's colour, dark or light
        background_fill_color=None,
    )
    view.yaxis.visible = False
    view.ygrid.visible = False
    view.xaxis.ticker = BasicTicker(desired_num_ticks=8)
    view.xaxis.axis_label_text_font_style = "normal"
    view.xgrid.grid_line_alpha = 0.5
    bars = ColumnDataSource(_empty("left", "right", "y", "colour", "ink", "pattern", *_TOLD, "verdict"), name="bars")
    filling = {"fill_color": "colour", "hatch_pattern": "pattern", "hatch_color": "ink", "hatch_alpha": 0.6}
    drawn = view.hbar(
        y="y", left="left", right="right", height=0.42, source=bars, line_color=None, hatch_scale=9, **filling
    )
    wrong = ColumnDataSource(_empty("left", "right", "y", *_TOLD, "truth"), name="wrong")
    strips = view.hbar(
        y="y",
        left="left",
        right="right",
        height=0.11,
        source=wrong,
        line_color=None,
        fill_color="#c62828",
        name="strips",
    )
    texts = ColumnDataSource(_empty("x", "y", "text"), name="texts")
    view.text("x", "y", "text", source=texts, text_font_size="12px", text_baseline="bottom", x_offset=2, name="ink")
    view.add_tools(
        HoverTool(renderers=[drawn], tooltips=BAR, point_policy="follow_mouse"),
        HoverTool(renderers=[strips], tooltips=WRONG, point_policy="follow_mouse"),
    )
    view.add_layout(Span(location=0, dimension="height", line_width=2, name="playhead"))
    return view


_TOLD = ("name", "row", "start", "end", "seconds")


def _empty(*columns: str) -> dict[str, list]:
    return {column: [] for column in columns}
