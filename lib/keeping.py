"""What is kept of figures and tables as files: pictures as SVG and PNG, data as CSV; manifests."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from lib.artifacts import atomic, write_json


def keep_figure(figure: Figure, folder: Path, stem: str, raster: bool) -> str:
    """Write `folder`/`stem`.svg and .png, and close the figure.

    Args:
        raster: whether the PNG is the one to show.

    Returns:
        The one to show, as a data URI.
    """
    for ending in ("svg", "png"):
        with atomic(folder / f"{stem}.{ending}") as file:
            metadata = {"Date": None} if ending == "svg" else None
            figure.savefig(file, format=ending, bbox_inches="tight", dpi=150, metadata=metadata)
        figure.set_layout_engine("none")  # the PNG takes the SVG's layout over
    plt.close(figure)
    ending, mime = ("png", "image/png") if raster else ("svg", "image/svg+xml")
    return f"data:{mime};base64,{base64.b64encode((folder / f'{stem}.{ending}').read_bytes()).decode()}"


def keep_data(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV with six significant digits."""
    with atomic(path) as file:
        table.to_csv(file, float_format="%.6g", index=not isinstance(table.index, pd.RangeIndex))


def mark_by_hand(folder: Path, overrides: Sequence[str]) -> None:
    """A notebook's results that are overwritten with other parameters are not the profile's: they are to be made again.

    Args:
        folder: of the notebook's manifests.
    """
    for manifest in folder.glob("[!.]*.json"):
        write_json(manifest, json.loads(manifest.read_text(encoding="utf-8")) | {"overrides": list(overrides)})
