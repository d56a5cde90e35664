"""The site's parts: what tables and figures are in HTML, the answer on the front page, pictures as files."""

import re
from dataclasses import asdict

import nbformat
import numpy as np
import pandas as pd
import pytest

from lib.core.params import load
from lib.core.paths import Outputs
from lib.data.profile import Profile
from lib.notebook.markup import Shown, accessible
from lib.notebook.tables import BEST, alone, beside, mark_best
from lib.scoring.published import published_table
from lib.site.answer import answers, controlled, sentences, shown
from lib.site.made import before, hyperparameters
from lib.site.pages import shown_by, write_chapters


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
    page = accessible(pd.DataFrame({"accuracy": [0.5, 0.6, 0.7, 0.8]}, index=index), "table_01")
    head = page[page.index("<thead>") : page.index("</thead>")]
    assert head.count("<tr>") == 1
    assert re.findall(r'<th [^>]*scope="col"[^>]*>(\w+)</th>', head) == ["source", "split", "accuracy"]
    assert page.count('scope="rowgroup"') == 2 and page.count('scope="row"') == 4
    assert re.search(r'<th class="number"[^>]*>accuracy', head)


def test_a_table_names_methods_for_readers_and_keeps_markup_out():
    table = pd.DataFrame({"note": ["a < b"]}, index=pd.Index(["videoclip_own_zero_shot"], name="method"))
    page = accessible(table, "table_10")
    assert ">VideoCLIP, own weights, zero-shot</th>" in page and ">a &lt; b</td>" in page
    best = accessible(mark_best(pd.DataFrame({"score": [1.0, 2.0]})), "table_11")
    (cell,) = re.findall(r"#(\w+) {\s*" + BEST, best)
    assert re.search(rf'<td [^>]*id="{cell}"[^>]*>2', best), "the style still finds its cell"


@pytest.mark.parametrize(("rows", "levels", "sorts"), [(13, 1, True), (12, 1, False), (14, 2, False)])
def test_only_long_tables_of_single_rows_can_be_sorted(rows, levels, sorts):
    index = pd.Index(range(rows)) if levels == 1 else pd.MultiIndex.from_product([["a", "b"], range(rows // 2)])
    page = accessible(pd.DataFrame({"value": range(rows)}, index=index), "table_01")
    assert ("sortable" in page) == sorts


def test_a_table_beside_the_thesis_has_the_spread_and_marks_no_split():
    ours = published_table(7).rename(index=str).rename_axis("split") * 0.9
    styled, values = beside(ours, published_table(7), "ours")
    assert underlined(styled.to_html()) == [], "a lucky split is no better method"
    values = values.set_index(["source", "split"])
    theirs = published_table(7).drop(index="mean")
    assert values.loc[("thesis", "±"), "accuracy"] == pytest.approx(theirs["accuracy"].std())
    assert ("difference", "±") not in values.index
    assert "±" not in alone(ours.loc[["1"]], "ours")[1]["split"].tolist()
    ways = pd.DataFrame({"accuracy": [0.7, 0.8], "raw_edit": [30.0, 40.0]}, pd.Index(["end", "start"], name="trim"))
    assert underlined(alone(ways, "ours")[0].to_html()) == ["30.0", "0.800"]


def test_the_best_of_a_column_goes_by_its_direction():
    table = pd.DataFrame({"score": [1.0, 3.0], "loss": [4.0, 2.5], "seeds": [7, 8], "equal": [0.0, 0.0]})
    assert underlined(mark_best(table, lower=["loss"], skip=["seeds"]).format(precision=1).to_html()) == ["3.0", "2.5"]


def test_the_answer_sets_fine_tuning_beside_the_baseline(metrics):
    params = load("params/demo.yaml")
    values = {"asformer_own": [50.0, 60, 70, 80, 90], "videoclip_public_15_epochs": [20.0, 20, 20, 20, 45]}
    out = metrics({"2_3_3_baseline": {"asformer_own": values["asformer_own"]}, "2_9_2_finetune_public": values})
    table = answers(Profile(params, out), ["2_3_3_baseline", "2_9_2_finetune_public"])
    assert table.index.tolist() == ["baseline", "videoclip_public_15_epochs"]
    ours = table.loc["baseline", ["accuracy", "accuracy sd", "accuracy thesis"]].tolist()
    assert ours == pytest.approx([0.7, np.std([0.5, 0.6, 0.7, 0.8, 0.9], ddof=1), 0.793])
    (said,) = sentences(table, controlled(out, []), Profile(params, out), [])
    assert "accuracy is lower by 0.450 (0.250 against 0.700) here" in said
    assert "higher by 0.023 (0.816 against 0.793) in the thesis" in said
    assert "VideoCLIP, public weights, 15 epochs, here" in said
    assert sorted(underlined(shown(table).to_html())) == ["0.699", "0.700 ± 0.158", "0.700 ± 0.158", "0.816"]


def test_the_answer_of_a_profile_with_few_chapters(metrics):
    params = load("params/demo.yaml")
    out = metrics({"2_3_1_public_features": {"asformer_public": [50.0] * 5}})
    profile = Profile(params, out)
    (said,) = sentences(answers(profile, ["2_3_1_public_features"]), pd.DataFrame(), profile, [])
    assert "1 of the thesis's 8 methods" in said and "0.500 here, 0.854 in the thesis" in said
    assert answers(profile, ["4_1_audit"]).empty


def test_pictures_become_files_and_their_classes_keywords(tmp_path):
    out = Outputs(str(tmp_path))
    out.figures.mkdir()
    table = pd.DataFrame({"true": ["add_vinegar", np.nan], "add_oil": [1, 2]})
    table.to_csv(out.figures / "figure_18.csv", index=False)
    (out.figures / "figure_18.png").write_bytes(b"a picture")
    shown = Shown(
        id="figure_18", title="Figure 18", caption="What.", about="Demo", revision="abc", notebook="chapter",
        data="figures/figure_18.csv", picture="figures/figure_18.png", alt='A "B".',
    )  # fmt: skip
    data, metadata = {"text/html": shown.image("data:image/png;base64,AAAA")}, {"report": asdict(shown)}
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data, metadata=metadata)])
    (out.notebooks / "chapter").mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.write(notebook, out.notebooks / "chapter" / "all.ipynb")
    write_chapters(out, {"chapter": notebook}, tmp_path / "source")
    for file in ("figure_18.png", "figure_18.csv"):
        assert (tmp_path / "source" / "_extra" / "figures" / file).read_bytes() == (out.figures / file).read_bytes()
    made = nbformat.read(tmp_path / "source" / "chapter.ipynb", as_version=4)
    assert 'src="figures/figure_18.png" alt="A &quot;B&quot;."' in made.cells[0].outputs[0].data["text/html"]
    assert made.metadata["myst"]["html_meta"]["keywords"] == "add_oil, add_vinegar, vinegar"
    assert shown_by(out, "chapter") == [shown]


def test_the_hyperparameters_are_those_that_differ_or_that_a_paper_states():
    rows = {name: values for name, *values in hyperparameters(load("params/demo.yaml", ["asformer.epochs=7"]))}
    assert rows["`asformer.epochs`"] == ["**7**", "120", "120"]
    assert rows["`asformer.smoothing`"] == ["0.15", "0.15", "0.15"], "equal, but stated"
    assert rows["`i3d.width`"] == ["**8**", "64", "–"], "stated by no paper"
    assert "`asformer.seed`" not in rows and not any(name.startswith("`demo.") for name in rows)


def test_the_graph_of_chapters_leaves_out_what_another_arrow_says():
    params = load("params/demo.yaml")
    edges = before(params, params.notebooks)
    assert edges["2_2_asformer"] == [] and edges["2_3_3_baseline"] == ["2_3_2_feature_extraction"]
    assert "2_4_videoclip" not in edges["2_7_video_branch"], "it is reached through 2.6"
