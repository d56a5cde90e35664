"""Weights of a published VideoCLIP (fairseq's MMPT, `MMFusionSeparate`) under the names of lib/videoclip.py (2.4.2)."""

from collections.abc import Mapping

from torch import Tensor

from lib.weights import WeightsError

OFFICIAL = {  # beginnings of the published names -> ours
    "video_encoder.videomlp.": "mlp.",
    "video_encoder.bert.": "video.",
    "video_encoder.classifier.": "head.",
    "text_encoder.": "text.",
}


def from_mmpt(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published names -> ours, in float32; poolers and position numbers, which nothing uses, are dropped.

    Raises:
        WeightsError: a name that is not VideoCLIP's.
    """
    state = {}
    for name, value in state_dict.items():
        bare = name.removeprefix("mmmodel.")
        if ".pooler." in bare or bare.endswith("position_ids"):
            continue
        start = next((start for start in OFFICIAL if bare.startswith(start)), None)
        if start is None:
            raise WeightsError(f"{name!r} is not a weight of VideoCLIP; give the checkpoint's entry `model`")
        state[OFFICIAL[start] + bare.removeprefix(start)] = value.float()
    return state
