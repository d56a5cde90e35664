"""What thesis 2.8.3 reads from its confusion matrices: Figure 18 (own weights, zero-shot) and 19 (public weights).

How a claim is judged is said in lib/claims.py. The order is the paragraph's.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lib.claims import (
    FIRST,
    HIGHER,
    LOWER,
    NO,
    NOT_LOWER,
    YES,
    Claim,
    confusion,
    labelled_as,
    rank,
    verb_told,
    wrong_part,
)

OWN, PUBLIC = ("own",), ("public",)
CUT = "cut_cucumber"
PEPPER = ("add_vinegar", "add_oil", "add_salt", "mix_dressing")


def _own(text: str, measure: Callable[[pd.DataFrame], float], rule: str) -> Claim:
    return Claim(18, text, OWN, measure, rule)


def _public(text: str, measure: Callable[[pd.DataFrame], float], rule: str) -> Claim:
    return Claim(19, text, PUBLIC, measure, rule)


def _change(text: str, measure: Callable[[pd.DataFrame], float], rule: str) -> Claim:
    """Public weights less own ones."""
    return Claim(19, text, (*OWN, *PUBLIC), lambda own, public: measure(public) - measure(own), rule)


def _confused(figure: int, first: str, second: str, only: tuple[int, ...] = ()) -> Claim:
    where = f" on splits {' and '.join(map(str, only))}" if only else ""
    text, needs = f"{first} and {second} are confused{where}", OWN if figure == 18 else PUBLIC
    return Claim(figure, text, needs, lambda matrix: confusion(matrix, first, second), YES, only)


def _pepper(matrix: pd.DataFrame) -> float:
    return float(np.fmax.reduce([confusion(matrix, "add_pepper", other) for other in PEPPER]))


CLAIMS = (
    _own(f"{CUT} has the most errors: no class misses more seconds", lambda m: rank(m, CUT, "true"), FIRST),
    _own(f"{CUT} has the most errors: no label is wrong more often", lambda m: rank(m, CUT, "predicted"), FIRST),
    _confused(18, CUT, "peel_cucumber"),
    _confused(18, CUT, "cut_tomato"),
    _confused(18, CUT, "cut_cheese"),
    _confused(18, CUT, "cut_lettuce"),
    _confused(18, CUT, "action_end", only=(4, 5)),
    _own("the action cut_… is told from other actions", lambda m: verb_told(m, "cut"), YES),
    _confused(18, "add_vinegar", "add_oil"),
    _confused(18, "serve_salad_onto_plate", "action_end"),
    _change(f"the problem with {CUT} is smaller", lambda m: wrong_part(m, CUT), LOWER),
    _confused(19, CUT, "peel_cucumber"),
    _confused(19, CUT, "cut_cheese"),
    _change(f"{CUT} and cut_cheese are less confused", lambda m: confusion(m, CUT, "cut_cheese"), LOWER),
    _confused(19, CUT, "cut_lettuce"),
    _change(f"{CUT} and cut_lettuce are less confused", lambda m: confusion(m, CUT, "cut_lettuce"), LOWER),
    _change("cut_cheese is recognized better", lambda m: labelled_as(m, "cut_cheese", "cut_cheese"), HIGHER),
    _change("cut_lettuce is recognized better", lambda m: labelled_as(m, "cut_lettuce", "cut_lettuce"), HIGHER),
    _confused(19, "add_vinegar", "add_oil"),
    _change("add_vinegar and add_oil are told no better", lambda m: confusion(m, "add_vinegar", "add_oil"), NOT_LOWER),
    _own(f"add_pepper is no problem with own weights: confused with none of {', '.join(PEPPER)}", _pepper, NO),
    *(_confused(19, "add_pepper", other) for other in PEPPER),
    _confused(19, "add_pepper", "add_dressing"),  # the thesis writes "10 add_dressing"; its class 10 is mix_dressing
    _public("action_start is often taken for action_end", lambda m: labelled_as(m, "action_start", "action_end"), YES),
)  # fmt: skip

UNDECIDABLE = {  # a reason that the thesis offers -> what would decide
    "peel_cucumber may be called “cut” in other videos": "the captions of HowTo100M",
    "lettuce and cheese are like cucumber in colour and size; vinegar and oil come from clear bottles": (
        "pictures: a matrix shows that classes are confused, not why"
    ),
    "a finished dish on its plate is what how-to videos end with": "captions and pictures of HowTo100M",
    "the pepper pot looks like the salt cellar and like the glass of the dressing": "pictures",
    "these actions are short and often follow each other": "predictions in time: a matrix knows no order",
    "action_start and action_end have neutral names with a common word": "zero-shot with other names for the two",
    "the difference between the weights is not the data set's doing": "both weights on another data set",
    "own weights are worse since C was smaller by one": (
        "pre-trainings that differ in C alone (2.6); own and public weights also differ in S3D's features"
    ),
}
