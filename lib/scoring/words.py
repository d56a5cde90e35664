"""Names of methods and numbers for readers: on pages, in figures, in the explorer. Files keep the short names."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

PARTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FEATURES, DETAILS = PARTS["features"], PARTS["details"]
KNOWN = (
    {"baseline": "ASFormer, own features", "commonest_class": "commonest class"}
    | {"videoclip": "VideoCLIP, fine-tuned", "zero_shot": "VideoCLIP, zero-shot"}
    | {f"asformer_{name}": f"ASFormer, {words}" for name, words in (PARTS["asformer"] | FEATURES).items()}
    | {f"probe_{name}": f"linear probe, {words}" for name, words in FEATURES.items()}
)


def display_name(method: str) -> str:
    """A method's name for readers, from its name below predictions/ or in the thesis's Table 10.

    An unknown name, for example of a user's own method, loses only its underscores.

    >>> display_name("videoclip_own_15_epochs"), display_name("videoclip_public_zero_shot")
    ('VideoCLIP, own weights, 15 epochs', 'VideoCLIP, public weights, zero-shot')
    >>> display_name("videoclip_own_untrained_0"), display_name("asformer_authors_features")
    ('VideoCLIP, own weights, untrained, seed 0', 'ASFormer, public features')
    >>> display_name("control_probe_i3d_two_stream"), display_name("control_asformer_i3d_other_mask_viterbi")
    ('linear probe, I3D two-stream', 'ASFormer, I3D, the other window mask, Viterbi')
    >>> display_name("control_videoclip_text_start"), display_name("zero_shot_words")
    ("VideoCLIP, fine-tuned, from BERT's weights", 'VideoCLIP, zero-shot, class names as prompts')
    >>> display_name("my_method"), display_name("chapter 2: asformer_own")
    ('my method', 'chapter 2: ASFormer, own features')
    """
    if ": " in method:
        where, _, method = method.rpartition(": ")
        return f"{where}: {display_name(method)}"
    name, details = method.removeprefix("control_"), []
    if found := re.fullmatch(r"videoclip_(own|public)_(.+)", name):
        weights, rest = found.groups()
        rest = re.sub(r"^untrained_(\d+)$", r"untrained, seed \1", rest).replace("zero_shot", "zero-shot")
        rest = "1 epoch" if rest == "1_epochs" else rest
        return f"VideoCLIP, {weights} weights, {rest.replace('_', ' ')}"
    while ending := next((one for one in DETAILS if name.endswith(f"_{one}")), None):
        name = name.removesuffix(f"_{ending}")
        details.insert(0, DETAILS[ending])
    if name not in KNOWN:
        return method.removeprefix("control_").replace("_", " ")
    return ", ".join([KNOWN[name], *details])


def written(value: float, form: str = ".1f") -> str:
    """A number without a negative zero; a dash if it is missing.

    >>> written(-0.04, "+.1f"), written(12.345), written(float("nan"))
    ('+0.0', '12.3', '–')
    """
    return "–" if math.isnan(value) else format(round(value, int(form[-2])) + 0.0, form)


def counted(count: int, noun: str) -> str:
    """Number and noun, in the plural where needed.

    >>> counted(1, "split"), counted(5, "split")
    ('1 split', '5 splits')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def span(values: Iterable[float], form: str = ".1f") -> str:
    """The range from the least to the greatest value, or one number if both look the same.

    >>> span([0.31, 0.12]), span([0.21, 0.19]), span([float("nan")])
    ('0.1 to 0.3', '0.2', '–')
    """
    known = [value for value in values if not math.isnan(value)]
    ends = [written(end, form) for end in ((min(known), max(known)) if known else (math.nan, math.nan))]
    return " to ".join(dict.fromkeys(ends))


def interval(row: Mapping, measure: str = "", form: str = "+.1f") -> str:
    """A value with its 95 % interval, if it has one, from the entries `measure`, `measure low` and `measure high`.

    >>> interval({"accuracy": 1.14, "accuracy low": -0.04, "accuracy high": 2.5}, "accuracy")
    '+1.1 [+0.0, +2.5]'
    """
    value, low, high = (written(float(row[f"{measure}{end}"]), form) for end in ("", " low", " high"))
    return value if low == "–" else f"{value} [{low}, {high}]"
