"""The timeline explorer: a page of the site with the truth and every method's prediction of a video on one time axis.

It is `explorer.md`, and in `_static/explorer/` a script of data and a picture of small frames for each video. Scripts
assign their data, since a page opened from the file system may not fetch files.
"""

from pathlib import Path

from lib.artifacts import write_text
from lib.avi import VideoError
from lib.class_colours import class_styles
from lib.dataset import Dataset, open_dataset
from lib.explorer_data import named_methods, predicted, split_of_videos, video_data
from lib.explorer_plot import timelines
from lib.interactive import WEB, as_json, item
from lib.language import Translator
from lib.params import data_root
from lib.paths import Outputs
from lib.sections import Params
from lib.thumbnails import thumbnail_sheet
from lib.translated import translate_elements, translate_panels

TITLE = "Timeline explorer"
PICTURES = 1_000_000  # bytes that the frames of all videos may have together


def write(params: Params, out: Outputs, done: list[str], folder: Path) -> list[str]:
    """Write the page and its data into the Sphinx source `folder`.

    Args:
        done: chapters that have run.

    Returns:
        The page's name; nothing where no method has predicted any video.

    Raises:
        ParameterError, DatasetError, PredictionError: the data set or a prediction cannot be used.
    """
    found = predicted(out.root / "predictions")
    if not found:
        return []
    dataset = open_dataset(data_root(params, out), None, params.data.fps)
    here, words = folder / "_static" / "explorer", Translator(params.language, place=TITLE)
    named, tested = named_methods(found, params), split_of_videos(dataset, params.data.split_numbers)
    for video, split in tested.items():
        data = video_data(dataset, video, split, {name: found[name] for name in named}, params)
        data |= _pictures(dataset, video, out.thumbnails, here, PICTURES // len(tested))
        write_text(here / f"{video}.js", f"explorerVideo({as_json(video)}, {as_json(data)});\n")
    styles = class_styles(dataset.classes)
    index = {
        "classes": [
            {"name": name, "verb": style.verb, "colour": style.colour, "pattern": style.pattern, "ink": style.ink}
            for name, style in styles.items()
        ],
        "methods": named,
        "videos": list(tested.items()),
        "plot": item(translate_panels({TITLE: timelines()}, words)[words(TITLE)]),
    }
    write_text(here / "index.js", f"window.EXPLORER = {as_json(index)};\n")
    for name in ("explorer.js", "explorer_view.js", "explorer.css"):
        write_text(here / name, (WEB / name).read_text(encoding="utf-8"))
    body = translate_elements((WEB / "explorer.html").read_text(encoding="utf-8"), ("h2", "th", "summary"), words)
    write_text(folder / "explorer.md", f"# {words(TITLE)}\n\n```{{raw}} html\n{body}```\n")
    return ["explorer"]


def _pictures(dataset: Dataset, video: str, kept: Path, here: Path, budget: int) -> dict:
    """The sheet of frames, copied to the page's data; or the reason why there is none, as a sentence for the reader."""
    try:
        sheet = thumbnail_sheet(dataset.root / "videos" / f"{video}.avi", kept, budget)
    except VideoError:
        missing = not (dataset.root / "videos" / f"{video}.avi").is_file()
        return {"note": f"No picture: videos/{video}.avi {'is not there' if missing else 'cannot be decoded'}."}
    here.mkdir(parents=True, exist_ok=True)
    (here / f"{video}.webp").write_bytes((kept / f"{video}.webp").read_bytes())
    return {"sheet": vars(sheet)}
