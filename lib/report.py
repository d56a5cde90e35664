"""The HTML report: executed notebooks -> a Sphinx site (MyST-NB, book theme) that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from lib.artifacts import sha256, write_text
from lib.chapters import CHAPTERS
from lib.failures import Failure
from lib.inspection import unusable
from lib.pages import failure_list, page, troubles
from lib.params import ParameterError, load, profile_name
from lib.paths import ROOT, Outputs
from lib.provenance import revision
from lib.requirements import runnable
from lib.sections import Params

TITLES = {  # headings of the thesis, in English
    "2_1_datasets": "2.1 Data sets",
    "2_2_asformer": "2.2 The baseline: I3D and ASFormer",
    "2_3_1_public_features": "2.3.1 Training on public features",
    "2_3_2_feature_extraction": "2.3.2 Extracting the features",
    "2_3_3_baseline": "2.3.3 The baseline on own features",
    "2_4_videoclip": "2.4 The multimodal model: S3D and VideoCLIP",
    "2_5_pretrain_one_cluster": "2.5 Pre-training, one cluster an update",
    "2_6_pretrain_many_clusters": "2.6 Pre-training, seven clusters an update",
    "2_7_video_branch": "2.7 The video branch",
    "2_8_1_zero_shot_own": "2.8.1 Zero-shot transfer, own weights",
    "2_8_2_zero_shot_public": "2.8.2 Zero-shot transfer, public weights",
    "2_8_3_error_analysis": "2.8.3 Error analysis",
    "2_9_1_finetune_own": "2.9.1 Fine-tuning, own weights",
    "2_9_2_finetune_public": "2.9.2 Fine-tuning, public weights",
    "3_conclusion": "3 Conclusion",
    "4_1_audit": "4.1 An audit of the thesis's numbers",
    "4_2_controls": "4.2 The controls that the thesis lacked",
    "4_3_scores_check": "4.3 The same protocol on real videos",
}

CONF = """
project = {title!r}
author = ""
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath"]
nb_merge_streams = True
nb_output_stderr = "remove"
html_theme = "sphinx_book_theme"
html_title = {title!r}
html_static_path = ["_static"]
html_css_files = ["report.css"]
html_theme_options = dict(show_toc_level=2, use_download_button=False, use_fullscreen_button=False)
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_last_updated_fmt = None
mathjax_path = "tex-svg.js"
suppress_warnings = ["mystnb.unknown_mime_type"]
"""

STYLE = """
.notice { border-left: 4px solid #b35900; background: rgba(179, 89, 0, .08); padding: .5rem .8rem; margin: .8rem 0; }
.notice:empty { display: none; }
.bd-main .bd-content .bd-article-container { max-width: 62rem; }
figure.report { margin: 1.2rem 0; overflow-x: auto; }
figure.report img { max-width: 100%; height: auto; background: white; }
figure.report figcaption { color: var(--pst-color-text-base); font-size: .9rem; margin: .3rem 0; text-align: left; }
figure.report table { font-size: .85rem; font-variant-numeric: tabular-nums; margin: .4rem 0; }
figure.report th, figure.report td { padding: .15rem .4rem; }
.made { display: block; font-size: .78rem; opacity: .8; }
"""


def build(params: Params, out: Outputs, left_out: Mapping[str, str]) -> Path:
    """Build (or leave, where nothing changed) the site of a profile.

    Args:
        left_out: chapters that cannot run on this machine, and why.

    Returns:
        The path of its index.html.

    Raises:
        FileNotFoundError: no notebook has been executed yet.
    """
    failed = troubles(params, out, left_out)
    pages = {name: shown for name in params.notebooks if (shown := page(name, out, failed.get(name, ())))}
    if not pages:
        raise FileNotFoundError(f"{out.notebooks.relative_to(ROOT)}: no executed notebook; run `make report` first")
    index = out.report / "index.html"
    state = json.dumps(
        [
            {name: sha256(out.notebooks / name / "all.json") for name in pages if name not in failed},
            {name: [(failure.told, sha256(failure.notebook)) for failure in ones] for name, ones in failed.items()},
            sha256(Path(__file__)),
            params.model_dump(mode="json"),
            dict(left_out),
        ]
    )
    stamp = out.report / "state.json"
    if index.exists() and stamp.exists() and stamp.read_text() == state:
        return index
    source, site = out.root / ".site", out.root / ".site_built"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    _write_source(params, pages, _front_page(params, out, list(pages), left_out, failed), source)
    _sphinx(source, site)
    for folder in ("tables", "figures"):
        if (out.root / folder).exists():
            pictures = shutil.ignore_patterns("*.svg", "*.png")  # they are in the pages
            shutil.copytree(out.root / folder, site / folder, dirs_exist_ok=True, ignore=pictures)
    (site / "sources").mkdir()
    for name in pages:
        shutil.copy(ROOT / "notebooks" / f"{name}.py", site / "sources" / f"{name}.py")
        if (made := out.notebooks / name / "all.json").exists():
            shutil.copy(made, site / "sources" / f"{name}.json")
    (site / "state.json").write_text(state)
    shutil.rmtree(out.report, ignore_errors=True)
    site.rename(out.report)
    for folder in (source, out.root / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    return index


def _write_source(params: Params, pages: Mapping[str, Any], front: str, source: Path) -> None:
    import nbformat

    write_text(source / "conf.py", CONF.format(title=params.title))
    write_text(source / "_static" / "report.css", STYLE)
    shutil.copy(str(files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js"), source / "_static" / "tex-svg.js")
    write_text(source / "index.md", front)
    for name, notebook in pages.items():
        for cell in notebook.cells:  # papermill's parameters are in the manifest; they are no reading matter
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.metadata["tags"].append("remove-cell")
        notebook.metadata.pop("papermill", None)
        nbformat.write(notebook, source / f"{name}.ipynb")


def _front_page(
    params: Params, out: Outputs, done: list[str], left_out: Mapping[str, str], failed: Mapping[str, list[Failure]]
) -> str:
    rows = ["| section | made | minutes |", "|---|---|---|"]
    for name in [name for name in done if name not in failed]:
        splits = [json.loads(file.read_text()) for file in (out.notebooks / name).glob("[!.]*.json")]
        whole = json.loads((out.notebooks / name / "all.json").read_text())
        minutes = sum(part["seconds"] for part in splits) / 60
        made = whole["finished"][:16].replace("T", " ")
        rows.append(f"| [{TITLES[name]}]({name}.ipynb) | {made} UTC, {whole['revision']} | {minutes:.1f} |")
    elsewhere = [TITLES[name] for name in CHAPTERS if name not in params.notebooks]
    lacking = [f"- {TITLES[name]}: {reason}" for name, reason in left_out.items() if name not in done]
    unfinished = [TITLES[name] for name in params.notebooks if name not in {*done, *left_out}]
    lines = [f"# {params.title}", f'<div class="notice">{params.notice}</div>']
    lines += [f"Profile `{out.profile}`, revision {revision()}.", "\n".join(rows)]
    if failed:
        lines += ["Failed, so not whole (each page says why, and shows what there is):", failure_list(failed, TITLES)]
    if lacking:
        lines += ["Left out, as what they read is not on this machine:", "\n".join(lacking)]
    if elsewhere:
        lines.append("Not in this profile: " + "; ".join(elsewhere) + ".")
    if unfinished:
        lines.append("Not finished: " + "; ".join(unfinished) + ".")
    toc = "\n".join(done)
    lines.append(f"```{{toctree}}\n:hidden:\n\n{toc}\n```")
    return "\n\n".join(lines) + "\n"


def _sphinx(source: Path, site: Path) -> None:
    from sphinx.cmd.build import build_main

    if build_main(["-q", "-b", "html", "-d", str(source / ".doctrees"), str(source), str(site)]):
        raise RuntimeError(f"{source.relative_to(ROOT)}: the site could not be built; Sphinx says why above")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.report", description="Build the site from executed notebooks.")
    parser.add_argument("--params", default="params/demo.yaml")
    options = parser.parse_args()
    try:
        params, out = load(options.params), Outputs(profile_name(options.params))
        reasons = runnable(params, out, unusable(params, out))
        page = build(params, out, {name: reason for name, reason in reasons.items() if reason})
    except (ParameterError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"the report: {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
