"""Bokeh on the site: its script as a file, figures as JSON. No server and no network; works from the file system.

The pages load `interactive.js`; it loads `bokeh.min.js` only where there is something to show.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bokeh
from bokeh.embed import json_item
from bokeh.models import Model

WEB = Path(__file__).resolve().parent / "web"
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
