"""English captions for a video's steps, with the faults of HowTo100M's (thesis 2.1.2; Miech et al., ICCV 2019).

As in speech recognized by a machine there are no capitals and no punctuation. People talk early or late, of the step
before or after, of other things, or not at all. No caption has a verb of the class names or a form of it: see phrases.
"""

import re
from dataclasses import dataclass

import numpy as np

from lib.demo.chatter import (
    ARTICLES,
    ARTICLES_OF_LOOSE,
    ASIDES,
    BEFORE,
    GOODBYE,
    HELLO,
    LATER,
    LEADS,
    NOUNS,
    OPENINGS,
    TAILS,
)
from lib.demo.dishes import Dish
from lib.demo.foods import FOODS
from lib.demo.phrases import PHRASES
from lib.demo.script import Step

MISSING = 0.2  # of the steps nobody says a word
FILLERS = 0.2  # share of the captions
ELSEWHERE = 0.14  # of a step's captions speak of the step before or after
LATE, LATEST = 2.0, 5.0  # seconds that captions are early or late: standard deviation and most
DURATION = (2.0, 5.0)  # seconds of a caption
TALK = tuple(  # filler talk, and the part of the video that it belongs to
    (text, *part)
    for texts, part in ((HELLO, (0.0, 0.2)), (ASIDES, (0.0, 1.0)), (GOODBYE, (0.8, 1.0)))
    for text in texts
)


@dataclass(frozen=True)
class Caption:
    """From `start` to `end` (seconds); `step`: the number of the step that it was said for, None for filler talk."""

    start: float
    end: float
    text: str
    step: int | None


def narrate(dish: Dish, steps: list[Step], rng: np.random.Generator) -> list[Caption]:
    """Captions of a video, at least one, in order of their start, within the video.

    Args:
        dish: what narrators call that which is in the bowl and the cup.
        steps: of the video, one after the other from second 0.
        rng: decides what is said, and when.
    """
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
    """A caption around a second, moved into the video where it would stand out."""
    duration = min(rng.uniform(*DURATION), total)
    start = float(np.clip(middle - duration / 2, 0, total - duration))
    return Caption(start, start + duration, text, step)


def _say(dish: Dish, steps: list[Step], number: int, rng: np.random.Generator) -> str:
    """One sentence for a step; now and then of a neighbouring one, said so."""
    form = int(rng.integers(2))
    leads = LEADS
    if rng.random() < ELSEWHERE:
        by = int(rng.choice([-1, 1]))
        if 0 <= number + by < len(steps):
            number, leads = number + by, LATER if by > 0 else BEFORE
    lead = rng.choice(leads[form])
    tail = rng.choice(TAILS) if rng.random() < 0.35 else ""
    words = (str(rng.choice(OPENINGS)), str(lead), _phrase(dish, steps[number], form, rng), str(tail))
    return " ".join(word for word in words if word)


def _phrase(dish: Dish, step: Step, form: int, rng: np.random.Generator) -> str:
    """What is done, in the first form ("slice") or the second ("slicing")."""
    phrases = PHRASES.get(step.label) or PHRASES[step.verb]
    template = re.sub(r"(\w+)/(\w+)", rf"\{form + 1}", str(rng.choice(phrases)))
    return template.format(it=_noun(step.thing, rng), bowl=dish.bowl, cup=dish.cup)


def _noun(thing: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.12:
        return str(rng.choice(["it", "this", "that"]))
    article = rng.choice(ARTICLES if thing in FOODS else ARTICLES_OF_LOOSE)
    return f"{article} {rng.choice(NOUNS.get(thing, (thing,)))}".strip()
