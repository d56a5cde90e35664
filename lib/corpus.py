"""What the demo's narrated corpus holds, from its files (thesis 2.1.2, Figure 2)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from lib.narrated import caption_file, caption_tracks


def corpus_facts(root: Path) -> dict[str, float]:
    """Videos, hours, captions, seconds of a caption, share of captions about nothing that is done, late seconds.

    "Late" is how much later a caption begins than the step that it speaks of: mean of the amounts, and their spread.
    """
    steps = json.loads((root / "steps.json").read_text(encoding="utf-8"))
    seconds = [video["end"][-1] for video in steps.values()]
    filler, shifts, lengths = [], [], []
    for name, start, end, _ in caption_tracks(caption_file(root), set(steps)):
        about = steps[name]["captions"]
        filler += [step is None for step in about]
        shifts += [at - steps[name]["start"][step] for at, step in zip(start, about, strict=True) if step is not None]
        lengths += (end - start).tolist()
    return {
        "videos": len(steps),
        "hours": sum(seconds) / 3600,
        "mean length, s": float(np.mean(seconds)),
        "captions": len(filler),
        "mean caption, s": float(np.mean(lengths)),
        "filler, %": 100 * float(np.mean(filler)),
        "begins after its step by, s": float(np.mean(shifts)),
        "spread of that, s": float(np.std(shifts)),
    }


def said_and_done(root: Path, video: str) -> pd.DataFrame:
    """A row a caption of one video: start, end, said, and what is done then ("verb thing", or the verb alone)."""
    steps = json.loads((root / "steps.json").read_text(encoding="utf-8"))[video]
    _, start, end, text = next(caption_tracks(caption_file(root), {video}))
    ends = np.array(steps["end"])
    places = np.searchsorted(ends, (start + end) / 2).clip(max=len(ends) - 1)
    done = [f"{steps['verb'][place]} {steps['thing'][place]}".removesuffix(" nothing") for place in places]
    return pd.DataFrame({"start, s": start, "end, s": end, "said": text, "done then": done})
