"""English captions for a video's steps, with the faults of HowTo100M's (thesis 2.1.2; Miech et al., ICCV 2019).

As with speech recognition, captions have no capitals and no punctuation. People talk early or late, about the step
before or after, about other things, or not at all. The words are in talk.yaml. None of them is a verb of the salads'
class names or a form of one: a model asked for "cut tomato" has to know that slicing is meant.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from lib.demo.kitchen import FOODS
from lib.demo.script import Dish, Step

WORDS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
MISSING = 0.2  # share of the steps about which nobody says a word
FILLERS = 0.2  # share of the captions
ELSEWHERE = 0.14  # share of a step's captions that speak of the step before or after
LATE, LATEST = 2.0, 5.0  # seconds by which captions are early or late: standard deviation and limit
DURATION = (2.0, 5.0)  # seconds of a caption
PARTS = {"hello": (0.0, 0.2), "asides": (0.0, 1.0), "goodbye": (0.8, 1.0)}  # of the video, for filler talk
TALK = tuple((text, *PARTS[part]) for part, texts in WORDS["fillers"].items() for text in texts)


@dataclass(frozen=True)
class Caption:
    """A caption from `start` to `end` (seconds); `step`: number of the step it was said for, None for filler talk."""

    start: float
    end: float
    text: str
    step: int | None


def narrate(dish: Dish, steps: list[Step], rng: np.random.Generator) -> list[Caption]:
    """Make a video's captions, at least one, sorted by start, within the video; its steps begin at second 0."""
    ends = np.cumsum([step.seconds for step in steps])
    total = float(ends[-1])
    captions = []
    for number, step in enumerate(steps):
        if rng.random() < MISSING:
            continue
        late = float(np.clip(rng.normal(0, LATE), -LATEST, LATEST))
        count = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
        for k in range(count):
            middle = ends[number] - step.seconds * (1 - (k + 0.5) / count) + late
            captions.append(_at(middle, total, _say(dish, steps, number, rng), number, rng))
    fillers = rng.binomial(len(captions), FILLERS / (1 - FILLERS)) if captions else 1
    for i in rng.choice(len(TALK), min(fillers, len(TALK)), replace=False):
        text, earliest, latest = TALK[i]
        captions.append(_at(total * rng.uniform(earliest, latest), total, text, None, rng))
    return sorted(captions, key=lambda caption: caption.start)


def _at(middle: float, total: float, text: str, step: int | None, rng: np.random.Generator) -> Caption:
    """Make a caption around the second `middle`, moved so that it lies within the video."""
    duration = min(rng.uniform(*DURATION), total)
    start = float(np.clip(middle - duration / 2, 0, total - duration))
    return Caption(start, start + duration, text, step)


def _say(dish: Dish, steps: list[Step], number: int, rng: np.random.Generator) -> str:
    """Make up a sentence for a step; now and then about a neighbouring one, announced as such."""
    form = int(rng.integers(2))
    when = "now"
    if rng.random() < ELSEWHERE:
        by = int(rng.choice([-1, 1]))
        if 0 <= number + by < len(steps):
            number, when = number + by, "later" if by > 0 else "before"
    lead = rng.choice(WORDS["leads"][when][form])
    tail = rng.choice(WORDS["tails"]) if rng.random() < 0.35 else ""
    words = (str(rng.choice(WORDS["openings"])), str(lead), _phrase(dish, steps[number], form, rng), str(tail))
    return " ".join(word for word in words if word)


def _phrase(dish: Dish, step: Step, form: int, rng: np.random.Generator) -> str:
    """Name what is done, in the first form ("slice") or the second ("slicing")."""
    phrases = WORDS["phrases"].get(step.label) or WORDS["phrases"][step.verb]
    template = re.sub(r"(\w+)/(\w+)", rf"\{form + 1}", str(rng.choice(phrases)))
    return template.format(it=_noun(step.thing, rng), bowl=dish.bowl, cup=dish.cup)


def _noun(thing: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.12:
        return str(rng.choice(["it", "this", "that"]))
    article = rng.choice(WORDS["articles"]["food" if thing in FOODS else "loose"])
    return f"{article} {rng.choice(WORDS['nouns'].get(thing, (thing,)))}".strip()
