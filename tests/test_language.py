"""The Russian report: the catalogue is whole and has nothing else, and figures, tables and pages speak it."""

import re
from collections import Counter

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from shown_text import MODULES, NOTEBOOKS, captions, everything, explorer, headings, labels

from lib.beyond.audit.views import NAMES
from lib.beyond.controls.views import QUESTIONS
from lib.core.chapters import CHAPTERS, TITLES
from lib.core.params import ParameterError, load
from lib.core.paths import ROOT
from lib.notebook.language import (
    CATALOGUE,
    CYRILLIC,
    Translator,
    UntranslatedError,
    catalogue,
    translate_figure,
    translate_table,
)
from lib.notebook.tables import HEADERS, LABELS, PERCENT
from lib.scoring.conclusion import SHORT
from lib.scoring.confusion import KINDS

RUSSIAN = Translator("ru", place="here")
PLACE = re.compile(r"\{\d*\}")


def test_no_key_stands_twice_and_places_agree():
    keys = [
        yaml.safe_load(line.rpartition('": "')[0] + '"')
        for line in CATALOGUE.read_text().splitlines()
        if '": "' in line
    ]
    assert not [key for key, count in Counter(keys).items() if count > 1]
    for english, russian in catalogue().items():
        places, numbered = english.count("{}"), [found[1:-1] for found in PLACE.findall(russian)]
        used = sorted(map(int, numbered)) if any(numbered) else list(range(len(numbered)))
        assert used == list(range(places)), english
        assert english.endswith(".") == russian.endswith("."), english


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_heading_and_caption_of_a_notebook_is_in_the_catalogue(path):
    for text in (*headings(path), *captions(path), *labels(path)):
        RUSSIAN(text.replace("{}", "7"))


def test_every_label_of_figures_and_pages_is_in_the_catalogue():
    for path in MODULES:
        if "demo" not in path.parts and path.stem.startswith(("plots", "drawings", "front", "listing", "notebook")):
            for text in labels(path):
                RUSSIAN(text.replace("{}", "7"))


def test_names_of_methods_and_questions_are_in_the_catalogue():
    """Also those that only real data show."""
    for text in (
        *QUESTIONS,
        *HEADERS.values(),
        *PERCENT.values(),
        *NAMES.values(),
        *SHORT.values(),
        *LABELS.values(),
        *KINDS,
    ):
        RUSSIAN(text)
    assert RUSSIAN("ed_tcn, published") == "ed_tcn, опубликовано"


def test_the_explorer_speaks_russian():
    assert all(CYRILLIC.search(RUSSIAN(text)) for text in explorer() if text not in ("accuracy", "edit", "F1@50"))
    for text in ("accuracy", "edit", "F1@50"):
        RUSSIAN(text)


def test_titles_of_chapters_and_profiles_are_in_the_catalogue():
    for text in (*TITLES.values(), *filter(None, (chapter.about for chapter in CHAPTERS.values()))):
        assert CYRILLIC.search(RUSSIAN(text))
    for profile in (ROOT / "params").glob("*.yaml"):
        if profile.stem not in ("defaults", "published"):
            load(profile, ["language=ru"])


def test_the_catalogue_has_nothing_that_the_code_does_not_show():
    titles = {yaml.safe_load(file.read_text()).get("title") for file in (ROOT / "params").glob("*.yaml")}
    shown = everything() | titles | {*explorer()} | {heading for path in NOTEBOOKS for heading in headings(path)}
    published = (ROOT / "params" / "published.yaml").read_text().split()
    assert not [key for key in catalogue() if key not in shown and key not in published]


def test_a_message_without_russian_is_named_with_its_place_and_the_catalogue():
    with pytest.raises(UntranslatedError, match=r"^here: no Russian for 'loss of the moon'; add it to lib/ru.yaml$"):
        RUSSIAN("loss of the moon")
    with pytest.raises(UntranslatedError, match="'moons of 7'"):  # the whole message, though "{} of {}" is known
        RUSSIAN("moons of 7")
    assert Translator("en")("loss of the moon") == "loss of the moon"
    assert Translator("ru", frozenset({"moon", "mean"}))("moon") == "moon"
    assert Translator("ru", frozenset({"moon", "mean"}))("mean") == "mean", "a class may be called like a header"


def test_places_in_a_message_are_translated_in_turn():
    assert RUSSIAN("own, C = 7") == "собственные, C = 7"
    assert RUSSIAN("optical flow\n2 channels x 21 frames") == "оптический поток\nканалов: 2, кадров: 21"


def test_a_figure_is_translated_wherever_text_stands():
    figure, (left, right) = plt.subplots(1, 2, sharey=True)
    left.plot([1, 2], [3, 4], label="split 1")
    left.set(title="training loss", xlabel="epoch", ylabel="accuracy, %")
    left.set_yticks([3, 4], ["truth", "cut_tomato"])
    left.text(1, 3, "all splits")
    left.legend(title="method")
    right.plot([1, 2], [3, 4])
    translate_figure(figure, RUSSIAN)
    figure.canvas.draw()
    assert (left.get_title(), left.get_xlabel(), left.texts[0].get_text()) == ("лосс на train", "эпоха", "все сплиты")
    assert [label.get_text() for label in left.get_yticklabels()] == ["разметка", "cut_tomato"]
    legend = left.get_legend()
    assert (legend.get_title().get_text(), legend.get_texts()[0].get_text()) == ("метод", "сплит 1")
    right.set_title("moon")
    with pytest.raises(UntranslatedError, match="'moon'"):
        translate_figure(figure, RUSSIAN)
    plt.close(figure)


def test_a_table_is_translated_but_for_its_prose():
    frame = pd.DataFrame({"claim": ["More epochs help"], "accuracy": [0.5], "verdict": ["can't tell"]})
    html = translate_table(frame.style.hide().to_html(), RUSSIAN, prose=["claim"])
    page = BeautifulSoup(html, "html.parser")
    assert [cell.text for cell in page.find_all("th")] == ["утверждение", "accuracy", "вердикт"]
    first, second, third = page.find_all("td")
    assert (first.text, first["lang"]) == ("More epochs help", "en")
    assert (second.text, third.text, third.get("lang")) == ("0.500000", "нельзя сказать", None)
    with pytest.raises(UntranslatedError, match="More epochs help"):
        translate_table(frame.to_html(), RUSSIAN)
    with pytest.raises(ValueError, match="no column reason"):
        translate_table(frame.to_html(), RUSSIAN, prose=["reason"])


def test_a_wrong_language_or_an_english_title_ends_at_once(tmp_path):
    with pytest.raises(ParameterError, match=r"'language'.*'en' or 'ru'.*'de'"):
        load("params/demo.yaml", ["language=de"])
    profile = tmp_path / "mine.yaml"
    profile.write_text("title: My salads\nlanguage: ru\n")
    with pytest.raises(
        ParameterError, match=r"^mine.yaml: 'title': no Russian for 'My salads'.*write the title in Russian"
    ):
        load(profile)
