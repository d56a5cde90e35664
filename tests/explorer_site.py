"""A small data set with predictions and videos, for tests of the timeline explorer and its page.

Five videos of 6 s at 10 frames per second, one tested in each split. The fourth has no video file, and the
fifth's is no video. VideoCLIP has not predicted the second; a control was run on split 1 with the seeds 0 and 3.
"""

from pathlib import Path

from videos import write_video

from lib.core.params import load
from lib.core.paths import Outputs
from lib.data.dataset import write_data_set
from lib.data.predictions import write_prediction
from lib.data.profile import Profile
from lib.site.source import run_sphinx, write_source

CLASSES = ("cut_tomato", "place_tomato_into_bowl", "cut_cheese", "add_oil", "add_vinegar", "action_start", "action_end")
VIDEOS = tuple(f"rgb-{number:02d}-1" for number in range(1, 6))
TRUTH = ["action_start"] * 10 + ["cut_tomato"] * 25 + ["add_vinegar"] * 15 + ["action_end"] * 10
# late by a second, vinegar taken for oil; one frame longer than the truth, as from a model at half the frame rate
PREDICTED = ["action_start"] * 20 + ["cut_tomato"] * 15 + ["add_oil"] * 15 + ["action_end"] * 11
PARAMS = "params/demo.yaml"


def make_outputs(folder: Path) -> Outputs:
    """The outputs of a profile, in `folder`."""
    out = Outputs(str(folder))
    truths = {video: TRUTH[::-1] if video == VIDEOS[2] else TRUTH for video in VIDEOS}
    labels = {video: map(CLASSES.index, truth) for video, truth in truths.items()}
    write_data_set(out.data, CLASSES, labels, {split: [video] for split, video in enumerate(VIDEOS, 1)})
    (out.data / "videos").mkdir()
    for split, (video, truth) in enumerate(truths.items(), 1):
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
    """The explorer's page and those that need no chapter, as in a report; gives the site's folder."""
    write_source(Profile(load(PARAMS), out), {}, {}, {}, folder / "source")
    run_sphinx(folder / "source", folder / "site")
    return folder / "site"
