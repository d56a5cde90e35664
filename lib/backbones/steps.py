"""A few real steps of both trainings, which take seconds, where the demo reads shipped weights (2.2, 2.4).

They show that the code that made these weights runs here. A dozen steps lower I3D's loss; MIL-NCE takes hundreds.
"""

import pandas as pd

from lib.backbones.i3d_features import STREAMS
from lib.backbones.labelled_clips import train_stream, train_streams
from lib.backbones.mil_nce import train_s3d
from lib.backbones.shipped import SHIPPED, curve
from lib.data.profile import Profile

SHORT = {"batch": 8, "batches": 3}  # an epoch
EPOCHS = 4
CLIPS = 48
VIDEOS = 8  # narrated ones


def i3d_histories(profile: Profile) -> dict[str, pd.DataFrame]:
    """Learning curves of both streams, shipped or (i3d.weights: null) trained now; empty for published weights."""
    params = profile.params
    if params.i3d.weights == SHIPPED:
        return {stream: curve(f"i3d_{stream}") for stream in STREAMS}
    if params.i3d.weights is None:
        return train_streams(params.demo, params.i3d, params.backbone, profile.out.weights)
    return {}


def i3d_steps(profile: Profile) -> pd.DataFrame:
    """Train the RGB stream from nothing for EPOCHS short epochs; returns its history."""
    params = profile.params
    how = {**SHORT, "clips": CLIPS, "epochs": dict.fromkeys(STREAMS, EPOCHS)}
    short = params.backbone.model_copy(update=how)
    return train_stream("rgb", params.demo, params.i3d, short, profile.out.weights / "steps" / "i3d_rgb")[1]


def s3d_steps(profile: Profile) -> pd.DataFrame:
    """Train S3D for one short epoch on labelled clips, then with MIL-NCE on VIDEOS narrated videos; its history."""
    params = profile.params
    how = {**SHORT, "labelled_clips": CLIPS, "labelled_epochs": 1, "epochs": EPOCHS}
    sections = (params.demo, params.s3d, params.mil_nce.model_copy(update=how), params.videoclip)
    return train_s3d(profile.narrated_root, *sections, profile.out.weights / "steps" / "s3d", first=VIDEOS)[2]
