"""What the data sets hold (thesis 2.1): lengths, segments, shares of classes, narration; and sentences that say it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from lib.core.files import read_json
from lib.core.paths import first_folder
from lib.data.dataset import Dataset, person
from lib.data.narrated import CaptionTrack, caption_file, caption_tracks, tracks_of_csv, without_repeats
from lib.data.profile import Profile
from lib.data.video import read_frames, read_video

# words by which a narrator speaks to the viewers or of the video, and the names of sounds; the rule for filler talk
_TALK = """applause bye channel comment comments description everybody everyone facebook friends goodbye guys hello
hey hi instagram laughter music subscribe subscribers subscribing thank thanks video videos watching website welcome
youtube"""
TALK = frozenset(_TALK.split())
# seconds between two captions that count as a pause; published captions are .01 s apart where speech goes on
PAUSE = 0.5


def is_talk(text: str) -> bool:
    """Whether a caption is filler: it has a word of TALK. This misses filler in other words, so it is a lower bound.

    >>> is_talk("subscribe to my channel"), is_talk("my kids love this"), is_talk("chop it")
    (True, False, False)
    """
    return not TALK.isdisjoint(text.split())


def caption_facts(tracks: Iterable[CaptionTrack]) -> dict[str, float]:
    """Describe how a corpus is narrated (thesis 2.1.2), by its captions alone; a video ends with its last caption."""
    tracks = list(tracks)
    texts = [text for *_, said in tracks for text in said]
    seconds = sum(float(end.max()) for _, _, end, _ in tracks)
    gaps = np.concatenate([start[1:] - np.maximum.accumulate(end)[:-1] for _, start, end, _ in tracks])
    lengths = np.concatenate([end - start for _, start, end, _ in tracks])
    silence = gaps.clip(min=0).sum() + sum(float(start[0]) for _, start, *_ in tracks)
    words, left = (
        sum(len(text.split()) for *_, said in them for text in said) for them in (tracks, map(without_repeats, tracks))
    )
    return {
        "videos": len(tracks),
        "captions": len(texts),
        "length, s": seconds / len(tracks),
        "captions per minute": 60 * len(texts) / seconds,
        "words per caption": words / len(texts),
        "mean caption, s": float(lengths.mean()),
        "time with a caption, %": 100 * float(1 - silence / seconds),
        "begins before the last one ends, %": 100 * float((gaps < 0).mean()),
        "comes after a pause, %": 100 * float((gaps > PAUSE).mean()),
        "mean pause, s": float(gaps[gaps > PAUSE].mean()),
        "words repeated from the last one, %": 100 * (1 - left / words),
        "filler by the rule, %": 100 * float(np.mean([is_talk(text) for text in texts])),
    }


def real_tracks(profile: Profile) -> list[CaptionTrack]:
    """Captions of HowTo100M, none if they are not on this machine. Raises DatasetError: they cannot be used."""
    root = first_folder(profile.params.data.real_captions)
    return tracks_of_csv(root) if root else []


def script_facts(root: Path) -> dict[str, float]:
    """Describe what only the demo knows of its narrations: which are filler, and how late the others are.

    "Late" is how much later a caption begins than the step it describes, in seconds: mean and standard deviation.
    """
    steps = read_json(root / "steps.json")
    filler, found, shifts = [], [], []
    for name, start, _, texts in caption_tracks(caption_file(root), set(steps)):
        for at, step, text in zip(start, steps[name]["captions"], texts, strict=True):
            filler.append(step is None)
            if step is None:
                found.append(is_talk(text))
            else:
                shifts.append(at - steps[name]["start"][step])
    return {
        "filler, %": 100 * float(np.mean(filler)),
        "filler that the rule finds, %": 100 * float(np.mean(found)),
        "begins after its step by, s": float(np.mean(shifts)),
        "spread of that, s": float(np.std(shifts)),
    }


def narration_sentence(corpus: Mapping[str, float]) -> str:
    """Say how much filler a corpus has and how late its other captions are, from `script_facts`.

    >>> narration_sentence({"filler, %": 21.4, "begins after its step by, s": 0.94, "spread of that, s": 2.71})
    '21 % of the captions are filler talk; the others begin 0.9 ± 2.7 s after their step.'
    """
    return (
        f"{corpus['filler, %']:.0f} % of the captions are filler talk; the others begin "
        f"{corpus['begins after its step by, s']:.1f} ± {corpus['spread of that, s']:.1f} s after their step."
    )


def distance_sentence(demo: Mapping[str, float], real: Mapping[str, float]) -> str:
    """Say how far the demo's narrations are from real ones.

    From the `caption_facts` of both; `demo` also has its `script_facts`.
    """
    pace, overlap, repeated, filler = (
        (f"{real[name]:.0f}", f"{demo[name]:.0f}")
        for name in (
            "captions per minute",
            "begins before the last one ends, %",
            "words repeated from the last one, %",
            "filler by the rule, %",
        )
    )
    return (
        f"Real narrations come at {pace[0]} captions per minute in videos of {real['length, s']:.0f} s, the demo's at "
        f"{pace[1]} in {demo['length, s']:.0f} s. {overlap[0]} % of the real captions begin before the last one has "
        f"ended (demo {overlap[1]} %), and {repeated[0]} % of their words only repeat it (demo {repeated[1]} %). By "
        f"the rule {filler[0]} % are filler (demo {filler[1]} %). That is the least: of the filler that the demo's "
        f"script marks, the rule finds {demo['filler that the rule finds, %']:.0f} %, and the published captions have "
        "lost their stop words, with them most greetings and thanks."
    )


def said_and_done(root: Path, video: str) -> pd.DataFrame:
    """One row per caption of a video: start, end (seconds), said, and what is done then ("verb thing", or the verb)."""
    steps = read_json(root / "steps.json")[video]
    _, start, end, text = next(caption_tracks(caption_file(root), {video}))
    ends = np.array(steps["end"])
    places = np.searchsorted(ends, (start + end) / 2).clip(max=len(ends) - 1)
    done = [f"{steps['verb'][place]} {steps['thing'][place]}".removesuffix(" nothing") for place in places]
    return pd.DataFrame({"start, s": start, "end, s": end, "said": text, "done then": done})


def narrated_frames(root: Path, videos: Sequence[str], fps: float) -> list[tuple[str, np.ndarray]]:
    """The action in the middle of each video and its frame, (H, W, 3) uint8 RGB (Figure 2)."""
    frames = []
    for name in videos:
        lines = said_and_done(root, name)
        done = lines.iloc[len(lines) // 2]
        second = (done["start, s"] + done["end, s"]) / 2
        (frame,) = read_frames(root / "videos" / f"{name}.avi", [int(second * fps)])
        frames.append((done["done then"].replace(" ", "_"), frame))
    return frames


def sudden_changes(path: Path) -> pd.Series:
    """Measure how suddenly each frame of a video differs from the one before, in grey levels (0 to 255).

    The value is the mean change of the 5 % of 16 x 16 blocks that change most. Damage that still decodes begins in
    whole blocks and ends with the next key frame, so it stands out from the movement of hands.
    """
    changes = []
    for before, grey in pairwise(frame.astype(np.float32).mean(axis=2) for frame in read_video(path)):
        height, width = (side // 16 for side in grey.shape)
        apart = np.abs(grey - before)[: 16 * height, : 16 * width]
        blocks = np.sort(apart.reshape(height, 16, width, 16).mean(axis=(1, 3)), axis=None)
        changes.append(float(blocks[-max(1, len(blocks) // 20) :].mean()))
    return pd.Series(changes, pd.RangeIndex(1, len(changes) + 1, name="frame"), name="change")


def damaged_frames(videos: Path, spoilt: Mapping[str, Sequence[int]]) -> tuple[list, pd.DataFrame]:
    """Frames around damage in videos (Figure 8): the first lost frame, and the two most sudden changes.

    Returns titles with frames (H, W, 3), five per video; and one row per frame: video, frame, state, change.
    """
    pictures, rows = [], []
    for video, bad in spoilt.items():
        changes = sudden_changes(videos / f"{video}.avi")
        most = changes.drop(list(bad), errors="ignore").nlargest(2 if bad else 3).index.tolist()
        chosen = [number for after in most for number in (after - 1, after)][: 4 if bad else 5] + list(bad[:1])
        frames = read_frames(videos / f"{video}.avi", chosen)
        for number, frame in zip(chosen, frames, strict=True):
            change = changes.get(number, float("nan"))
            state = "lost, replaced" if number in bad else f"changes by {change:.0f}" if number in most else "before"
            pictures.append((f"{video}, frame {number}\n{state}", frame))
            rows.append((video, number, state, change))
    return pictures, pd.DataFrame(rows, columns=["video", "frame", "state", "change"])


def class_statistics(dataset: Dataset) -> pd.DataFrame:
    """One row per class: frames, share of all frames, segments, mean length of a segment in seconds."""
    segments = [(name, len(list(run))) for video in dataset.videos for name, run in groupby(dataset.names(video))]
    lengths = pd.DataFrame(segments, columns=["class", "frames"]).groupby("class")["frames"]
    table = lengths.agg(frames="sum", segments="count").reindex(dataset.classes, fill_value=0).rename_axis("class")
    table["share"] = table["frames"] / table["frames"].sum()
    table["mean_seconds"] = table["frames"] / table["segments"] / dataset.fps
    return table


def largest_classes(statistics: Mapping[str, pd.DataFrame], most: int = 24) -> dict[str, pd.Series]:
    """Shares of frames in percent, by class and data set; only the largest classes where there are more than `most`.

    >>> table = pd.DataFrame({"share": [0.5, 0.2, 0.3]}, index=["cut", "mix", "serve"])
    >>> {name: shares.index.tolist() for name, shares in largest_classes({"T": table}, most=2).items()}
    {'T: largest 2 of 3': ['cut', 'serve']}
    """
    found = {}
    for name, table in statistics.items():
        shares, title = table["share"] * 100, name
        if len(shares) > most:
            shares, title = shares.nlargest(most), f"{name}: largest {most} of {len(shares)}"
        found[title] = shares
    return found


def class_sentence(name: str, table: pd.DataFrame) -> str:
    """Name the largest and the smallest class and the lengths of segments, from `class_statistics`.

    >>> table = pd.DataFrame({"share": [0.75, 0.25], "mean_seconds": [3.0, 1.5]}, index=["cut", "mix"])
    >>> class_sentence("T", table)[:90]
    '**T**: the largest class is `cut` with 75.0% of the frames, so always guessing it reaches '
    """
    share, seconds = table["share"], table["mean_seconds"]
    return (
        f"**{name}**: the largest class is `{share.idxmax()}` with {share.max():.1%} of the frames, so always guessing "
        f"it reaches {share.max():.3f}; the smallest is `{share.idxmin()}` ({share.min():.1%}). Segments last from "
        f"{seconds.min():.1f} s (`{seconds.idxmin()}`) to {seconds.max():.1f} s on average."
    )


def dataset_facts(dataset: Dataset) -> dict[str, float]:
    """Videos, people, classes, hours, segments, length of a video in seconds (mean, shortest, longest)."""
    seconds = pd.Series({video: len(dataset.labels(video)) / dataset.fps for video in dataset.videos})
    return {
        "videos": len(dataset.videos),
        "people": len({person(video) for video in dataset.videos}),
        "classes": len(dataset.classes),
        "hours": seconds.sum() / 3600,
        "segments": sum(1 for video in dataset.videos for _ in groupby(dataset.names(video))),
        "mean length, s": seconds.mean(),
        "shortest, s": seconds.min(),
        "longest, s": seconds.max(),
    }


def length_sentence(real: Mapping[str, float] | None) -> str:
    """Compare the length of the real data set (`dataset_facts`) with what the thesis says.

    >>> length_sentence({"hours": 5.348, "mean length, s": 385.1, "longest, s": 604.8})
    "The real annotations last 5.35 hours, not the thesis's 4.5; videos last 385 s on average, at most 10.1 minutes."
    """
    if real is None:
        return "The real 50 Salads labels are not on this machine, so only this profile's set is shown."
    return (
        f"The real annotations last {real['hours']:.2f} hours, not the thesis's 4.5; videos last "
        f"{real['mean length, s']:.0f} s on average, at most {real['longest, s'] / 60:.1f} minutes."
    )


def shared_sentence(first: Iterable[str], second: Iterable[str]) -> str:
    """Say how many actions two videos share.

    >>> shared_sentence(["cut", "mix"], ["mix", "serve"])[:49]
    'The first two videos share 1 of 3 actions; their '
    """
    both, either = set(first) & set(second), set(first) | set(second)
    return (
        f"The first two videos share {len(both)} of {len(either)} actions; their order is free where participants got "
        "ingredients and not a recipe, as in 50 Salads."
    )


def split_table(dataset: Dataset) -> tuple[pd.DataFrame, str]:
    """The cross-validation, one row per split, and a sentence: who is in both parts, what is tested never or twice."""
    rows, both, times = {}, set(), Counter(dict.fromkeys(dataset.videos, 0))
    for k in dataset.splits:
        train, test = dataset.split(k)
        tested = {person(video) for video in test}
        both |= tested & {person(video) for video in train}
        times.update(test)
        people = ", ".join(sorted(name.removeprefix("rgb-") for name in tested))
        rows[k] = {"train videos": len(train), "test videos": len(test), "people tested": people}
    sentence = "no person is in both parts" if not both else f"in both parts of a split: {', '.join(sorted(both))}"
    for often, wrong in (("never", 0), ("more than once", 2)):
        if videos := sorted(video for video, count in times.items() if min(count, 2) == wrong):
            sentence += f"; tested {often}: {', '.join(videos[:5])}{' …' * (len(videos) > 5)}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("split"), f"The cross-validation: {sentence}."


def middle_frames(labels: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """The middle frame of the longest segment of each class that occurs, in the order of time.

    >>> middle_frames(["cut", "cut", "cut", "place", "cut"], ["cut", "place"])
    {'cut': 1, 'place': 3}
    """
    longest: dict[str, tuple[int, int]] = {}
    start = 0
    for name, run in groupby(labels):
        length = sum(1 for _ in run)
        if length > longest.get(name, (0, 0))[1]:
            longest[name] = (start, length)
        start += length
    middles = {name: longest[name][0] + longest[name][1] // 2 for name in classes if name in longest}
    return dict(sorted(middles.items(), key=lambda item: item[1]))
