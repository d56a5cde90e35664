"""The site's parts: what tables and figures are in HTML, the answer on the front page, pictures as files."""

import re

import nbformat
import numpy as np
import pandas as pd
import pytest

from lib.core.params import load
from lib.core.paths import Outputs
from lib.data.profile import Profile
from lib.notebook.markup import accessible
from lib.notebook.tables import BEST, alone, beside, mark_best
from lib.scoring.published import published_table
from lib.site.front import answers, controlled, sentences, shown
from lib.site.pages import shown_by, write_chapters

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def underlined(page: str) -> list[str]:
    """Texts of the cells that a Styler's HTML underlines."""
    names = re.findall(r"(#T_\w+(?:, #T_\w+)*) {\s*[^}]*" + BEST, page)
    cells = dict(re.findall(r'<td id="(\w+)"[^>]*>(.*?)</td>', page))
    return [cells[name.strip()[1:]] for group in names for name in group.split(",")]


@pytest.fixture
def metrics(tmp_path):
    """Writes chapters' metrics: page -> {our name of a method: accuracy of its five splits}."""
    out = Outputs(str(tmp_path))
    out.metrics.mkdir()

    def write(pages: dict[str, dict[str, list[float]]]) -> Outputs:
        for page, methods in pages.items():
            rows = [
                (page, method, split, "all", protocol, metric, value)
                for method, values in methods.items()
                for split, value in enumerate(values, 1)
                for protocol in ("mstcn", "thesis, 1 fps")
                for metric in ("accuracy", "f1@50")
            ]
            columns = ["section", "method", "split", "video", "protocol", "metric", "value"]
            pd.DataFrame(rows, columns=columns).to_parquet(out.metrics / f"{page}.parquet")
        return out

    return write


def test_headers_stand_in_one_row_and_say_what_they_head():
    index = pd.MultiIndex.from_product([["ours", "thesis"], ["1", "2"]], names=["source", "split"])
    page = accessible(pd.DataFrame({"accuracy": [0.5, 0.6, 0.7, 0.8]}, index=index).style.to_html())
    head = page[page.index("<thead>") : page.index("</thead>")]
    assert head.count("<tr>") == 1
    assert re.findall(r'<th scope="col"[^>]*>(\w+)</th>', head) == ["source", "split", "accuracy"]
    assert len(re.findall(r'<th scope="rowgroup"', page)) == 2 and len(re.findall(r'<th scope="row"', page)) == 4


@pytest.mark.parametrize(("rows", "levels", "sorts"), [(13, 1, True), (12, 1, False), (14, 2, False)])
def test_only_long_tables_of_single_rows_can_be_sorted(rows, levels, sorts):
    index = pd.Index(range(rows)) if levels == 1 else pd.MultiIndex.from_product([["a", "b"], range(rows // 2)])
    page = accessible(pd.DataFrame({"value": range(rows)}, index=index).style.to_html())
    assert ("sortable" in page) == sorts


def test_sentences_that_begin_with_a_number_are_no_numbers():
    table = pd.DataFrame({"a": ["+0.5 [0.1, 0.9]"], "b": ["2 of the splits are left out of this"], "c": ["–"]})
    kinds = re.findall(r"<td[^>]*?(?: class=\"(\w+)\")?>", accessible(table.style.hide().to_html()))
    assert kinds == ["number", "text", "number"]


def test_a_table_beside_the_thesis_marks_the_best_and_has_the_spread():
    ours = published_table(7).rename(index=str).rename_axis("split") * 0.9
    styled, values = beside(ours, published_table(7), "ours")
    best = underlined(styled.to_html())
    theirs = published_table(7).drop(index="mean")
    for name, better in (("accuracy", "max"), ("raw_edit", "min"), ("best_loss", "min")):
        value = getattr(theirs[name], better)()
        assert (f"{value:.1f}" if name == "raw_edit" else f"{value:.3f}") in best, name
    spread = values.set_index(["source", "split"]).loc[("thesis", "±"), "accuracy"]
    assert spread == pytest.approx(theirs["accuracy"].std())
    assert ("difference", "±") not in values.set_index(["source", "split"]).index
    assert "±" not in alone(ours.loc[["1"]], "ours")[1]["split"].tolist()


def test_the_best_of_a_column_goes_by_its_direction():
    table = pd.DataFrame({"score": [1.0, 3.0], "loss": [4.0, 2.5], "seeds": [7, 8]})
    assert underlined(mark_best(table, lower=["loss"], skip=["seeds"]).format(precision=1).to_html()) == ["3.0", "2.5"]


def test_the_answer_sets_fine_tuning_beside_the_baseline(metrics):
    params = load("params/demo.yaml")
    values = {"asformer_own": [50.0, 60, 70, 80, 90], "videoclip_public_15_epochs": [20.0, 20, 20, 20, 45]}
    out = metrics({"2_3_3_baseline": {"asformer_own": values["asformer_own"]}, "2_9_2_finetune_public": values})
    table = answers(Profile(params, out), ["2_3_3_baseline", "2_9_2_finetune_public"])
    assert table.index.tolist() == ["baseline", "videoclip_public_15_epochs"]
    assert table.loc["baseline", ["accuracy", "accuracy sd", "accuracy thesis"]].tolist() == pytest.approx(
        [0.7, np.std([0.5, 0.6, 0.7, 0.8, 0.9], ddof=1), 0.793]
    )
    (told,) = sentences(table, controlled(out, []), out.tables / "none.csv")
    assert "accuracy **is lower, 0.250 against 0.700 (-0.450) here**" in told
    assert "in the thesis it is higher, 0.816 against 0.793 (+0.023)" in told
    assert sorted(underlined(shown(table).to_html())) == ["0.699", "0.700 ± 0.158", "0.700 ± 0.158", "0.816"]


def test_the_answer_of_a_profile_with_few_chapters(metrics):
    params = load("params/demo.yaml")
    out = metrics({"2_3_1_public_features": {"asformer_public": [50.0] * 5}})
    (told,) = sentences(
        answers(Profile(params, out), ["2_3_1_public_features"]), pd.DataFrame(), out.tables / "none.csv"
    )
    assert "1 of the thesis's 8 methods" in told and "0.500, in the thesis 0.854" in told
    assert answers(Profile(params, out), ["4_1_audit"]).empty


def test_pictures_become_files_and_their_classes_keywords(tmp_path):
    out = Outputs(str(tmp_path))
    out.figures.mkdir()
    pd.DataFrame({"true": ["add_vinegar", np.nan], "add_oil": [1, 2]}).to_csv(
        out.figures / "figure_18.csv", index=False
    )
    page = (
        f'<figure class="report" id="figure_18"><img src="data:image/png;base64,{PIXEL}" alt="A."><figcaption>'
        '<b>Figure 18.</b> What. <i>Demo.</i><span class="made"></span></figcaption></figure>'
    )
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", {"text/html": page})])
    (out.notebooks / "chapter").mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.write(notebook, out.notebooks / "chapter" / "all.ipynb")
    write_chapters(out, {"chapter": notebook}, tmp_path / "source")
    assert (tmp_path / "source" / "_extra" / "figures" / "figure_18.png").read_bytes()[1:4] == b"PNG"
    made = nbformat.read(tmp_path / "source" / "chapter.ipynb", as_version=4)
    assert 'src="figures/figure_18.png" alt="A."' in made.cells[0].outputs[0].data["text/html"]
    assert made.metadata["myst"]["html_meta"]["keywords"] == "add_oil, add_vinegar"
    (one,) = shown_by(out, "chapter")
    assert (one.name, one.title, one.caption) == ("figure_18", "Figure 18", "What. <i>Demo.</i>")
