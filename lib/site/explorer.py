"""The timeline explorer: truth and predictions of a video on one time axis, with the frame at the playhead.

The page is `explorer.md`. In `_static/explorer/` each video has a script with its data and one picture of small frames,
side by side. Where the data set has sensors, a strip of the tools' motion takes the place of the frames. Scripts assign
their data, because a page opened from the file system may not fetch files. The figure is Bokeh's and empty;
web/explorer.js fills it with the chosen video.
"""

import base64
import json
import math
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
from bokeh.embed import json_item
from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, Range1d, Span
from bokeh.plotting import figure

from lib.core.files import atomic, key, read_json, write_json, write_text
from lib.core.paths import WEB
from lib.data.dataset import Dataset, open_dataset
from lib.data.profile import Profile
from lib.data.sensors import read_sensors, sensor_folder, tool_motion
from lib.data.video import VideoError, read_video
from lib.notebook.plots import class_styles
from lib.site.explorer_data import (
    OTHERS,
    PUBLISHED,
    named_methods,
    predicted,
    published_predictions,
    split_of_videos,
    video_data,
)

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


def as_json(value: Any) -> str:
    """Write a value as JSON on one line that is safe in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def timelines() -> figure:
    """Make the empty figure: rows one unit high, the first at 0, with text, a bar, and a strip where it is wrong.

    Sources, by name: `bars`, `wrong` and `texts`; the playhead is the span `playhead`.
    """
    axes = {"x_range": Range1d(start=0, end=1), "y_range": Range1d(start=1, end=0), "x_axis_label": "seconds"}
    bare = {"tools": "", "toolbar_location": None, "outline_line_color": None}
    see_through = {"border_fill_color": None, "background_fill_color": None}  # the page's colour, dark or light
    size = {"height": 200, "sizing_mode": "stretch_width", "min_border_left": 8, "min_border_right": 14}
    view = figure(name="timelines", **axes, **bare, **see_through, **size)
    view.yaxis.visible = view.ygrid.visible = False
    view.xaxis.ticker = BasicTicker(desired_num_ticks=8)
    view.xaxis.axis_label_text_font_style = "normal"
    view.xgrid.grid_line_alpha = 0.5
    place, about = ("left", "right", "y"), ("name", "row", "start", "end", "seconds")
    bars = _source("bars", *place, "colour", "ink", "pattern", *about, "verdict")
    wrong, texts = _source("wrong", *place, *about, "truth"), _source("texts", "x", "y", "text")
    spans = {"y": "y", "left": "left", "right": "right", "line_color": None}
    filling = {"fill_color": "colour", "hatch_pattern": "pattern", "hatch_color": "ink", "hatch_alpha": 0.6}
    drawn = view.hbar(source=bars, height=0.42, hatch_scale=9, **spans, **filling)
    strips = view.hbar(source=wrong, height=0.11, fill_color="#c62828", name="strips", **spans)
    view.text("x", "y", "text", source=texts, text_font_size="12px", text_baseline="bottom", x_offset=2, name="ink")
    for one, tooltips in ((drawn, BAR), (strips, WRONG)):
        view.add_tools(HoverTool(renderers=[one], tooltips=tooltips, point_policy="follow_mouse"))
    # in place of frames, where the data set has sensors and, by its licence, no pictures
    view.image_url("url", "x", "y", "w", "h", source=_source("strip", "url", "x", "y", "w", "h"))
    view.add_layout(Span(location=0, dimension="height", line_width=2, name="playhead"))
    return view


def _source(name: str, *columns: str) -> ColumnDataSource:
    """Make an empty source with these columns."""
    return ColumnDataSource({column: [] for column in columns}, name=name)


SIDE = 96  # pixels of a frame's longer side, at most
COLUMNS = 10
EVERY = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600)  # seconds between frames: the first that fits the budget
QUALITY = 40  # of WebP


@dataclass(frozen=True)
class Sheet:
    """Frames of a video on a grid of `columns`, row by row, the first at second 0."""

    every: int  # seconds between frames
    count: int
    columns: int
    width: int  # of a frame, in pixels
    height: int
    bad: int  # number of frames that cannot be decoded and show the last good one


def thumbnail_sheet(video: Path, folder: Path, budget: int) -> Sheet:
    """Write `<folder>/<video>.webp` and a note of its source, so that each video is decoded once.

    `budget`: bytes that the picture may have; one frame in ten minutes is taken even if it does not fit.

    Raises VideoError: no such file, or it cannot be decoded.
    """
    picture, note = folder / f"{video.stem}.webp", folder / f"{video.stem}.json"
    if not video.is_file():
        raise VideoError(f"{video}: no such video")
    state = video.stat()
    made_from = key([state.st_size, state.st_mtime_ns, budget], code=["site.explorer"])
    if picture.exists() and (kept := read_json(note, optional=True)).get("made_from") == made_from:
        return Sheet(**kept["sheet"])
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # it prints a line per damaged frame; they are counted here
    frames = read_video(video)
    small = []  # one frame per second; a whole video would not fit in memory
    for number, frame in enumerate(frames):
        if number == math.ceil(len(small) * EVERY[0] * frames.fps):
            scale = min(1.0, SIDE / max(frame.shape[:2]))
            size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
            small.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    for every in EVERY:
        chosen = small[::every]
        data = _encode(chosen)
        if len(data) <= budget:
            break
    height, width = chosen[0].shape[:2]
    sheet = Sheet(every, len(chosen), min(COLUMNS, len(chosen)), width, height, len(frames.bad))
    with atomic(picture) as file:
        file.write_bytes(data)
    write_json(note, {"made_from": made_from, "sheet": asdict(sheet)})
    return sheet


def _encode(frames: list[np.ndarray]) -> bytes:
    """Encode frames (H, W, 3), BGR, on one grid, as WebP."""
    columns = min(COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    height, width = frames[0].shape[:2]
    places = np.zeros((rows * columns, height, width, 3), np.uint8)
    places[: len(frames)] = frames
    grid = places.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return cv2.imencode(".webp", grid, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()


TITLE = "Timeline explorer"
PICTURES = 1_000_000  # bytes that the frames of all videos may have together


def write(profile: Profile, done: list[str], folder: Path) -> list[str]:
    """Write the page and its data, if a method or a published model has predicted; see lib.site.source.PAGES.

    Raises:
        ParameterError: none of the data set's folders exists.
        DatasetError: the data set cannot be used.
        PredictionError: a prediction cannot be used.
    """
    found, data = predicted(profile.out.root / "predictions"), profile.params.data
    if not found and data.source == "demo":
        return []
    dataset = open_dataset(profile.root, None, data.fps)
    published = published_predictions(profile, dataset)
    if not found and not published:
        return []
    here = folder / "_static" / "explorer"
    named, tested = named_methods(found, profile.params), split_of_videos(dataset, data.split_numbers)
    if published:
        named = {PUBLISHED: {"name": "MS-TCN on I3D (published, its own splits)", "group": OTHERS}} | named
    motions = _motions(dataset)
    for video, split in tested.items():
        ordered = {name: found[name] for name in named if name in found}
        shown = video_data(dataset, video, split, ordered, profile.params, published.get(video))
        if motions:
            shown |= {"strip": _strip(motions[video])}
        else:
            shown |= _pictures(dataset, video, profile.out.thumbnails, here, PICTURES // len(tested))
        write_text(here / f"{video}.js", f"explorerVideo({as_json(video)}, {as_json(shown)});\n")
    index = {
        "classes": [{"name": name} | vars(style) for name, style in class_styles(dataset.classes).items()],
        "methods": named,
        "videos": list(tested.items()),
        "plot": json_item(timelines()),
    }
    write_text(here / "index.js", f"window.EXPLORER = {as_json(index)};\n")
    for name in ("explorer.js", "explorer_view.js", "explorer.css"):
        shutil.copy(WEB / name, here / name)
    body = (WEB / "explorer.html").read_text(encoding="utf-8")
    write_text(folder / "explorer.md", f"# {TITLE}\n\n```{{raw}} html\n{body}```\n")
    return ["explorer"]


def _motions(dataset: Dataset) -> dict[str, np.ndarray]:
    """Motion of the ten tools in every video, (10, T) from 0 to 1; empty where the data set has no sensors."""
    if sensor_folder(dataset.root) is None:
        return {}
    motions = {video: tool_motion(sensors) for video, sensors in read_sensors(dataset).items()}
    strongest = np.quantile(np.concatenate(list(motions.values()), axis=1), 0.995)
    # a square root, so that small motions are seen beside knocks
    return {video: np.sqrt(motion / strongest).clip(max=1) for video, motion in motions.items()}


def _strip(motion: np.ndarray) -> dict[str, str]:
    """Draw motion as a picture, one line per tool and one column per step, and describe it in words."""
    colours = plt.get_cmap("cividis")(np.repeat(motion, 4, axis=0))[..., 2::-1]
    # inside the data, because Bokeh cannot read a picture from the file system
    data = base64.b64encode(cv2.imencode(".png", (255 * colours).astype(np.uint8))[1].tobytes()).decode()
    text = f"motion of the {len(motion)} kitchen tools, one line each (accelerometers; bright: moved)"
    return {"url": f"data:image/png;base64,{data}", "text": text}


def _pictures(dataset: Dataset, video: str, kept: Path, here: Path, budget: int) -> dict:
    """Copy the sheet of frames to the page's data; or a sentence that says why there is none."""
    file = dataset.root / "videos" / f"{video}.avi"
    try:
        sheet = thumbnail_sheet(file, kept, budget)
    except VideoError:
        return {"note": f"No picture: videos/{file.name} {'cannot be decoded' if file.is_file() else 'is not there'}."}
    here.mkdir(parents=True, exist_ok=True)
    shutil.copy(kept / f"{video}.webp", here)
    return {"sheet": vars(sheet)}
