"""A small data set with predictions and videos, for tests of the timeline explorer and its page.

Five videos of 6 s at 10 frames per second, one tested in each split. The fourth has no video file, and the
fifth's is no video. VideoCLIP has not predicted the second; a control was run on split 1 with the seeds 0 and 3.
"""

import subprocess
import sys
from pathlib import Path

from videos import write_video

from lib.core.files import write_text
from lib.core.params import load
from lib.core.paths import Outputs
from lib.data.predictions import write_prediction
from lib.data.profile import Profile
from lib.site import explorer

CLASSES = ("cut_tomato", "place_tomato_into_bowl", "cut_cheese", "add_oil", "add_vinegar", "action_start", "action_end")
VIDEOS = tuple(f"rgb-{number:02d}-1" for number in range(1, 6))
TRUTH = ["action_start"] * 10 + ["cut_tomato"] * 25 + ["add_vinegar"] * 15 + ["action_end"] * 10
# late by a second, vinegar taken for oil; one frame longer than the truth, as from a model at half the frame rate
PREDICTED = ["action_start"] * 20 + ["cut_tomato"] * 15 + ["add_oil"] * 15 + ["action_end"] * 11
PARAMS = "params/demo.yaml"
CONF = """
extensions = ["myst_nb"]
html_theme = "sphinx_book_theme"
html_title = "Test"
html_static_path = ["_static"]
html_js_files = ["interactive.js"]
"""


def make_outputs(folder: Path) -> Outputs:
    """The outputs of a profile, in `folder`."""
    out = Outputs(str(folder))
    write_text(out.data / "mapping.txt", "".join(f"{number} {name}\n" for number, name in enumerate(CLASSES)))
    (out.data / "videos").mkdir()
    for split, video in enumerate(VIDEOS, 1):
        truth = TRUTH if split != 3 else TRUTH[::-1]
        write_text(out.data / "groundTruth" / f"{video}.txt", "".join(f"{name}\n" for name in truth))
        for side, part in (("train", [name for name in VIDEOS if name != video]), ("test", [video])):
            write_text(out.data / "splits" / f"{side}.split{split}.bundle", "".join(f"{name}.txt\n" for name in part))
        write_prediction(out.predictions("asformer_own", split) / f"{video}.txt", PREDICTED)
        if split != 2:
            write_prediction(out.predictions("videoclip_own_zero_shot", split) / f"{video}.txt", truth)
        if split < 4:
            write_video(out.data / "videos" / f"{video}.avi")
    (out.data / "videos" / f"{VIDEOS[4]}.avi").write_bytes(b"no video")
    for seed, names in ((3, TRUTH), (0, PREDICTED)):
        write_prediction(out.predictions("control_probe_s3d", 1, seed) / f"{VIDEOS[0]}.txt", names)
    return out


def build_site(out: Outputs, folder: Path) -> Path:
    """The explorer's page and a front page, built as the report is; gives the site's folder."""
    source, site = folder / "source", folder / "site"
    assert explorer.write(Profile(load(PARAMS), out), [], source) == ["explorer"]
    explorer.write_assets(source / "_static")
    write_text(source / "conf.py", CONF)
    write_text(source / "index.md", "# Test\n\n```{toctree}\nexplorer\n```\n")
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-b", "html", source, site], check=True)
    return site
