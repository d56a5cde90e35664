"""The language of titles, axis labels, table headers and captions: English in the code, Russian by lib/ru.yaml.

As in gettext the English text is the key. `{}` in a key stands for what the code puts there: a number, a name, or a
message, which is translated in turn; the Russian may take them in another order, `{1} … {0}`. A message that the
catalogue lacks is an error: nothing stays English in silence.

What needs no Russian is a text without a word. Words are runs of small letters, and the unit `s`, outside of

- names and code: what has a digit, an underscore, an @ or a capital after another letter (cut_tomato, f1@50, I3D,
  VideoCLIP, CPU), so numbers too, and nan;
- mathematics, between two `$`;
- the names that a `Translator` is given: the data set's and its classes'.

A text with a Cyrillic letter is Russian already.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import yaml

from lib.paths import ROOT

Language = Literal["en", "ru"]
CATALOGUE = ROOT / "lib" / "ru.yaml"
NAME = re.compile(r"\$[^$]*\$|\bnan\b|[^\s,;:()/=]*(?:[\d_@]|[^\W\d_][A-Z])[^\s,;:()/=]*")
WORD = re.compile(r"[a-z]{2}|\bs\b")
CYRILLIC = re.compile(r"[Ѐ-ӿ]")


class UntranslatedError(ValueError):
    """A message that the catalogue lacks."""


@dataclass(frozen=True)
class Translator:
    """Messages in one language.

    Attributes:
        names: left as they are.
        place: where the messages stand, e.g. a notebook; said where one is missing.
    """

    language: Language
    names: frozenset[str] = frozenset()
    place: str = ""

    def __call__(self, message: str) -> str:
        """The message in this language.

        Raises:
            UntranslatedError: the catalogue lacks it.
        """
        if self.language == "en":
            return message
        if (russian := self._russian(message)) is None:
            place = f"{self.place}: " if self.place else ""
            raise UntranslatedError(f"{place}no Russian for {message!r}; add it to {CATALOGUE.relative_to(ROOT)}")
        return russian

    def _russian(self, message: str) -> str | None:
        whole, patterns = _lookup()
        if message in self.names:
            return message
        if message in whole:
            return whole[message]
        if CYRILLIC.search(message) or not has_words(message):
            return message
        for pattern, russian in patterns:
            if found := pattern.fullmatch(message):
                parts = [self._russian(part) for part in found.groups()]
                if None not in parts:
                    return russian.format(*parts)
        return None


def translate(message: str, language: Language) -> str:
    """A message in a language, where no names are at stake.

    >>> translate("split 3", "ru"), translate("cut_tomato", "ru"), translate("split 3", "en")
    ('сплит 3', 'cut_tomato', 'split 3')

    Raises:
        UntranslatedError: the catalogue lacks it.
    """
    return Translator(language)(message)


def has_words(text: str) -> bool:
    """Whether a text needs a translation.

    >>> [has_words(text) for text in ("seconds", "edit, %", "12 s")]
    [True, True, True]
    >>> [has_words(text) for text in ("place_tomato", "F1@50, %", "VideoCLIP", "C = 7", "$z_v$: 1.5")]
    [False, False, False, False, False]
    """
    return bool(WORD.search(NAME.sub(" ", text)))


def catalogue() -> dict[str, str]:
    """English message -> Russian."""
    return yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))


@cache
def _lookup() -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    """The keys without places for others; and those with, as patterns, those with the most text of their own first."""
    entries = catalogue()
    whole = {english: russian for english, russian in entries.items() if "{" not in english}
    rest = sorted(entries.items() - whole.items(), key=lambda item: (-len(item[0].replace("{}", "")), item[0]))
    return whole, [(_pattern(english), russian) for english, russian in rest]


def _pattern(english: str) -> re.Pattern:
    return re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL)
