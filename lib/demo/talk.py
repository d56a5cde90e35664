"""What the narrators call the actions of the demo's videos: phrases for each verb (thesis 2.1.2, HowTo100M).

No phrase, nor anything else that is said, has a verb of the salads' class names or a form of it: a model that is asked
for "cut tomato" has to know that slicing is meant. tests/test_narration.py holds that. A phrase has two forms, written
"slice/slicing through {it}"; {it} is the food, liquid or spice, {bowl} and {cup} what is in them.

What the demo's narrators say around an action, and when they say nothing of any (thesis 2.1.2).

Talk that has to do with nothing in the picture is one of the faults of HowTo100M's captions (Miech et al., ICCV 2019).

English captions for a video's steps, with the faults of HowTo100M's (thesis 2.1.2; Miech et al., ICCV 2019).

As in speech recognized by a machine there are no capitals and no punctuation. People talk early or late, of the step
before or after, of other things, or not at all. No caption has a verb of the class names or a form of it: see phrases.
"""

import re
from dataclasses import dataclass

import numpy as np

from lib.demo.kitchen import FOODS
from lib.demo.script import Dish, Step

NOUNS = {  # where there is more than one word for a thing
    "tomato": ("tomato", "tomato", "ripe tomato", "big red tomato"),
    "cheese": ("cheese", "cheese", "block of cheese", "feta cheese"),
    "lettuce": ("lettuce", "lettuce", "head of lettuce", "crisp lettuce"),
    "cucumber": ("cucumber", "cucumber", "long green cucumber", "fresh cucumber"),
    "apple": ("apple", "apple", "red apple"),
    "potato": ("potato", "potato", "large potato"),
    "butter": ("butter", "butter", "stick of butter", "cold butter"),
    "bread": ("bread", "bread", "loaf", "bread dough"),
    "spinach": ("spinach", "spinach", "baby spinach", "bunch of spinach"),
    "carrot": ("carrot", "carrot", "orange carrot"),
    "aubergine": ("aubergine", "aubergine", "eggplant"),
    "leek": ("leek", "leek", "fresh leek"),
    "oil": ("oil", "oil", "olive oil"),
    "vinegar": ("vinegar", "vinegar", "white vinegar", "cider vinegar"),
    "milk": ("milk", "milk", "whole milk"),
    "juice": ("juice", "orange juice", "fruit juice"),
    "wine": ("wine", "red wine"),
    "salt": ("salt", "salt", "sea salt", "table salt"),
    "pepper": ("pepper", "pepper", "black pepper"),
    "sugar": ("sugar", "sugar", "fine sugar"),
    "cinnamon": ("cinnamon", "cinnamon", "ground cinnamon"),
    "herbs": ("herbs", "dried herbs", "green herbs"),
}

ARTICLES = ("the", "the", "this", "that", "my", "our", "your")
ARTICLES_OF_LOOSE = ("", "", "the", "this", "our")  # liquids and spices: "a pinch of salt", "a pinch of the salt"
OPENINGS = ("", "", "", "so", "and", "okay", "okay so", "alright", "now", "then", "and then", "so next", "right")

LEADS = (  # before the first form: "you want to slice"; before the second: "i am slicing"
    (
        "i", "we", "you", "you just", "you can", "i just", "let's", "let me", "go ahead and", "i'm going to",
        "we're gonna", "you want to", "we need to", "what i do is", "all you do is", "don't be shy just", "",
    ),
    (
        "i am", "i'm", "we are", "we're", "i'm just", "just", "keep", "here i'm", "you can see me", "i like",
        "right now i'm", "you see how i'm", "what i'm doing is", "",
    ),
)  # fmt: skip

LATER = (
    ("in a minute we'll", "after this you", "later on we are going to", "very soon we will", "once that's done we"),
    ("next up is", "soon we'll be", "we'll be", "up next we are", "after that comes"),
)
BEFORE = (
    ("you saw me", "earlier we had to", "i told you to", "remember you had to"),
    ("we were just", "after", "now that we're finished", "i've been", "so far we've been"),
)
TAILS = (
    "like so", "as you can see", "nice and easy", "there we go", "take your time", "just like that", "carefully",
    "it smells so good", "that looks really good", "the way my mum does", "here", "for this recipe", "right there",
    "a little bit at a time", "it doesn't have to be perfect", "and that's it", "until you're happy with it",
)  # fmt: skip

HELLO = (
    "hey guys welcome back to my kitchen",
    "hi everyone it's me again",
    "hello and welcome to another video",
    "what's up everybody today i have a great recipe for you",
    "if you are new here hit the bell",
    "this is one of my favourite recipes of all time",
    "my name is anna and i cook something new every week",
    "good morning friends i hope you're all doing well",
)

ASIDES = (
    "you can find everything in the description below",
    "let me know in the comments what you think",
    "my kids absolutely love this",
    "i got this from my grandmother many years ago",
    "you don't need anything fancy for this",
    "it's really cheap and really healthy too",
    "i've been doing this for years now",
    "sorry about the noise that's my dog",
    "i'm so hungry right now",
    "we had this last sunday and there was nothing left",
    "just do it the way you see it here",
    "watch how i do this",
    "you guys asked for this one a lot",
    "i'm not a professional but this works for me",
    "if you don't have that at home just leave it out",
    "let me move the camera a bit so you can see",
    "this is why i love summer",
    "and it only takes about ten minutes",
    "oh wow look at that",
    "my husband came home early today",
)

GOODBYE = (
    "don't forget to subscribe to the channel",
    "thank you so much for watching",
    "give this video a thumbs up if you liked it",
    "see you in the next one bye",
    "follow me on instagram for more",
    "i hope you enjoy it as much as we do",
    "share this with a friend who likes to cook",
    "and i'll see you next week take care",
)

PHRASES: dict[str, tuple[str, ...]] = {
    "cut": (
        "slice/slicing through {it}",
        "chop/chopping {it} into small pieces",
        "chop/chopping up {it}",
        "dice/dicing {it}",
        "run/running the knife through {it}",
        "halve/halving {it} and then slice it up",
        "bring/bringing the blade down on {it} again and again",
        "work/working along {it} with a sharp knife",
        "slice/slicing {it} up nice and thin",
        "make/making thin slices of {it}",
        "turn/turning {it} into bite sized chunks",
    ),
    "place": (
        "tip/tipping {it} into the bowl",
        "slide/sliding {it} off the board into the bowl",
        "drop/dropping {it} in the bowl",
        "throw/throwing {it} into the bowl with the rest",
        "transfer/transferring {it} over to the bowl",
        "scoop/scooping up {it} and in it goes",
        "move/moving {it} from the board to the bowl",
        "gather/gathering up {it} and drop that in the bowl",
        "carry/carrying {it} across to our bowl",
        "pop/popping {it} in there with everything else",
    ),
    "peel": (
        "take/taking the skin off {it}",
        "strip/stripping the skin from {it}",
        "shave/shaving the outside off {it}",
        "get/getting rid of the skin on {it}",
        "pull/pulling long ribbons of skin off {it}",
        "remove/removing the outer layer of {it}",
        "run/running down {it} to get all that skin away",
        "scrape/scraping the skin from {it}",
    ),
    "pour": (
        "pour/pouring in {it}",
        "drizzle/drizzling {it} into the cup",
        "give/giving it a good glug of {it}",
        "splash/splashing in {it}",
        "tilt/tilting the bottle and let {it} run",
        "trickle/trickling {it} into our cup",
        "use/using a couple of tablespoons of {it}",
        "tip/tipping the bottle of {it} over the cup",
        "measure/measuring out {it}",
    ),
    "shake": (
        "sprinkle/sprinkling {it} over the cup",
        "season/seasoning with {it}",
        "throw/throwing in a pinch of {it}",
        "dust/dusting a bit of {it} on top",
        "scatter/scattering {it} in",
        "give/giving it a few shakes of {it}",
        "go/going in with a dash of {it}",
        "tap/tapping out {it}",
        "grind/grinding in {it}",
    ),
    "stir cup": (
        "whisk/whisking the {cup} together",
        "beat/beating the {cup} with a little whisk",
        "whisk/whisking it all up in the cup",
        "give/giving the {cup} a quick whisk",
        "whip/whipping the {cup} until it is smooth",
        "blend/blending everything in the cup",
        "bring/bringing the {cup} together with quick little circles",
        "swirl/swirling the {cup} round and round",
    ),
    "stir bowl": (
        "toss/tossing the {bowl} together",
        "combine/combining everything in the bowl",
        "stir/stirring the {bowl} with a big spoon",
        "fold/folding the {bowl} over and over",
        "turn/turning it all over in the bowl",
        "give/giving the {bowl} a good stir",
        "go/going round the bowl with the spoon until it is all combined",
        "stir/stirring all of the ingredients through",
    ),
    "dress": (
        "drizzle/drizzling the {cup} all over the {bowl}",
        "pour/pouring the {cup} on top",
        "coat/coating the {bowl} with the {cup}",
        "spoon/spooning our {cup} over everything",
        "empty/emptying the cup over the {bowl}",
        "let/letting the {cup} run all over it",
        "finish/finishing the {bowl} off with that {cup}",
        "go/going all over the top with the {cup}",
    ),
    "serve": (
        "dish/dishing up the {bowl}",
        "spoon/spooning the {bowl} out onto the plate",
        "plate/plating up",
        "pile/piling the {bowl} up on a plate",
        "get/getting a nice portion onto the plate",
        "scoop/scooping the {bowl} from the bowl to the plate",
        "bring/bringing the {bowl} over to the plate",
        "share/sharing out the {bowl}",
    ),
    "start": (
        "get/getting everything ready",
        "lay/laying out all that we need today",
        "clear/clearing some space on the table",
        "look/looking over what we have here",
        "set/setting up the kitchen before we cook",
        "show/showing you what we are going to need",
        "begin/beginning by getting our things together",
        "move/moving a few things out of the way first",
    ),
    "end": (
        "call/calling that finished and tidy the table",
        "clean/cleaning up now that we are all done",
        "finish/finishing here and wipe the board down",
        "tidy/tidying up because that is us finished",
        "put/putting everything away now it is done",
        "leave/leaving it at that because this one is ready",
        "admire/admiring how it all came out",
        "wrap/wrapping up here and clear the board",
    ),
    "grate": (
        "grate/grating {it}",
        "rub/rubbing {it} up and down the grater",
        "shred/shredding {it} on the grater",
        "push/pushing {it} along the grater",
        "run/running {it} over the big holes of the grater",
        "turn/turning {it} into fine shreds",
    ),
    "mash": (
        "mash/mashing the {bowl}",
        "crush/crushing everything in the bowl",
        "press/pressing down with the masher",
        "squash/squashing the {bowl} until there are no lumps",
        "smash/smashing it all up in the bowl",
        "push/pushing the masher into the {bowl} over and over",
    ),
    "roll": (
        "roll/rolling it out",
        "flatten/flattening the pastry with the rolling pin",
        "push/pushing the rolling pin back and forth",
        "roll/rolling the dough nice and thin",
        "run/running the pin over the board",
        "lean/leaning on the rolling pin to get it even",
    ),
    "knead": (
        "knead/kneading {it}",
        "work/working {it} with both hands",
        "push/pushing {it} away with the heel of your hand",
        "fold/folding {it} over and push it down again",
        "press/pressing and turn {it} on the board",
        "stretch/stretching {it} with your hands",
    ),
    "spread": (
        "spread/spreading {it}",
        "smear/smearing {it} with the flat of the knife",
        "smooth/smoothing out {it}",
        "work/working {it} out to the edges",
        "soften/softening {it} with long strokes of the knife",
        "brush/brushing {it} across in a thin layer",
    ),
    "wipe": (
        "wipe/wiping down the table",
        "clean/cleaning the counter with a cloth",
        "mop/mopping up that mess",
        "give/giving the worktop a quick wipe",
        "go/going over the table with a damp cloth",
        "rub/rubbing the table clean",
    ),
}

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
