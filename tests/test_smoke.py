"""Every notebook, from rendering to the site, in the smoke profile; apart, so that it runs beside the other tests."""

import html
import json
import re

import numpy as np
import pandas as pd
from report_runs import finish

from lib.chapters import CHAPTERS
from lib.params import load
from lib.paths import ROOT, Outputs


def test_every_notebook_runs_in_the_smoke_profile():
    """From rendering to the site; only that the files are there and finite, the numbers mean nothing."""
    finish(ROOT / "params" / "smoke.yaml")
    outputs = Outputs("smoke")
    for name in ("table_01", "table_02", "table_03"):
        table = pd.read_csv(outputs.tables / f"{name}.csv")
        ours = table[table["source"] == "Smoke test"]
        assert np.isfinite(ours[["accuracy", "edit", "f1@10", "f1@25", "f1@50"]].to_numpy()).all()
    for number in range(4, 10):
        table = pd.read_csv(outputs.tables / f"table_{number:02d}.csv")
        ours = table[table["source"] == "Smoke test"]
        assert np.isfinite(ours[["accuracy", "raw_edit", "f1@10", "f1@25", "f1@50"]].to_numpy()).all()
    everything = pd.read_csv(outputs.tables / "table_10.csv").set_index("method")
    ours = everything.drop("asformer_paper")[["as_thesis", "accuracy", "edit", "f1@50", "segments"]]
    assert np.isfinite(ours.to_numpy()).all()
    for number in range(1, 28):
        for kind in ("svg", "png", "csv"):
            assert (outputs.figures / f"figure_{number:02d}.{kind}").stat().st_size > 0
    for name in load("params/smoke.yaml").notebooks:
        page = (outputs.report / f"{name}.html").read_text()
        assert html.escape(CHAPTERS[name].about or "Smoke test of the notebooks") in page
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//(?!(?:doi|arxiv|github)\.)[^"']+\.(?:js|css)""", page)
    for name in ("duplicated_rows", "paired_tests", "claims"):
        assert len(pd.read_csv(outputs.tables / f"audit_{name}.csv")) > 0
    clusters = pd.read_csv(outputs.tables / "table_clusters.csv")
    assert set(clusters["equal"]) == {"update", "pairs"} and np.isfinite(clusters["zero_shot"]).all()
    for recipe, dim in (("one_cluster", "mixed_5c"), ("own", "mixed_5c"), ("public", "video_embedding")):
        note = json.loads((outputs.root / "runs" / f"videoclip_{recipe}" / "videoclip.json").read_text())
        assert note["feature_set"].startswith(f"s3d_{dim}_")
    metrics = pd.read_parquet(outputs.metrics / "2_3_3_baseline.parquet")
    assert list(metrics.columns) == ["section", "method", "split", "video", "protocol", "metric", "value"]
    assert set(metrics["split"]) == {1, 2, 3, 4, 5}
