"""The rule by which the audit judges a claim of the thesis, and the row that holds it (4.1, beyond the thesis).

supported      the difference has the claimed sign, its test finds it at the 5 % level after Holm's correction over the
               comparisons of its question, and nothing else differed that could have made it
can't tell     the difference is found, but more than one thing differed that could be its cause; or equality is claimed
               and no difference found, which is no proof of equality; or what decides is not on this machine
not supported  all else: the difference is not found, or has the other sign. The claim may still be true: `detectable`
               says which difference would have been found with 80 % chance
"""

from typing import Literal

from lib.stats import ALPHA

Verdict = Literal["supported", "not supported", "can't tell"]
Claimed = Literal["higher", "lower", "level"]
COLUMNS = ("claim", "where", "measure", "difference", "low", "high", "p", "detectable", "reason", "verdict")


def verdict(difference: float, p: float, claimed: Claimed, causes: int = 1) -> Verdict:
    """The rule above.

    Args:
        difference: as measured.
        p: of its test, adjusted for its family.
        claimed: the sign that the claim says, or that there is no difference.
        causes: how many things differed that could have made it.

    >>> verdict(0.1, 0.01, "higher"), verdict(0.1, 0.2, "higher"), verdict(0.1, 0.01, "higher", causes=3)
    ('supported', 'not supported', "can't tell")
    """
    found = p < ALPHA
    if claimed == "level":
        return "not supported" if found else "can't tell"
    if not found or (difference > 0) != (claimed == "higher"):
        return "not supported"
    return "supported" if causes == 1 else "can't tell"


def judged(claim: str, where: str, claimed: Claimed, test: dict, reason: str, causes: int = 1) -> dict:
    """A claim that a test decides.

    Args:
        where: section or table of the thesis.
        test: metric, difference, corrected_low, corrected_high, holm_p and perhaps detectable, as a row of
            `lib.audit_tests.paired_tests`.
        reason: in a line.
    """
    return {
        "claim": claim,
        "where": where,
        "measure": test["metric"].replace("f1", "F1"),
        "difference": test["difference"],
        "low": test["corrected_low"],
        "high": test["corrected_high"],
        "p": test["holm_p"],
        "detectable": test.get("detectable", float("nan")),
        "reason": reason,
        "verdict": verdict(test["difference"], test["holm_p"], claimed, causes),
    }


def reasoned(claim: str, where: str, measure: str, difference: float, reason: str, excluded: bool) -> dict:
    """A claim that needs no test: a fact excludes it, or leaves it open."""
    row = dict.fromkeys(COLUMNS, float("nan"))
    row |= {"claim": claim, "where": where, "measure": measure, "difference": difference, "reason": reason}
    return row | {"verdict": "not supported" if excluded else "can't tell"}


def undecided(claim: str, where: str) -> dict:
    """A claim that only the real annotations decide, where they are absent."""
    reason = "needs the real annotations, which are not on this machine"
    return reasoned(claim, where, "–", float("nan"), reason, excluded=False)
