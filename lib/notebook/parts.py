"""Parts of pages that several notebooks share: the thesis's claims, and VideoCLIP on the target set (2.8, 2.9)."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from pandas.io.formats.style import Styler

from lib.core.paths import Outputs
from lib.notebook import plots
from lib.notebook import videoclip_sentences as sentences
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import Notebook
from lib.notebook.tables import SPREADS, alone, beside, interval_cells
from lib.scoring.claims import COLUMNS, chapters, check, tally
from lib.scoring.confusion import long_table, split_matrices, video_matrices
from lib.scoring.published import published_table
from lib.scoring.stats import mean_interval
from lib.scoring.words import counted
from lib.videoclip.evaluation import FineTuned, ZeroShot
from lib.videoclip.target import Target

THEIRS = "the thesis's tables"
Weights = Literal["own", "public"]


def show_claims(book: Notebook, **evidence: Mapping[str, Any]) -> None:
    """Check, show and keep the claims of a chapter; not for a single split, which can decide little."""
    if book.whole:
        checked = check(book.name, **evidence)
        caption = (
            "The thesis's claims on these pages: what is measured in each split, seed or video, its mean with the 95 % "
            "interval, the verdict (chapter 3 has the rule) and, in brackets, what would decide it."
        )
        shown = shown_claims(checked, ["holds if", "each", "over"])
        book.table("claims", shown, checked, caption, file=f"claims_{book.name}")
        book.say(f"Of {counted(len(checked), 'claim')}: {tally(checked['verdict'])}.")


def all_claims(out: Outputs, here: str) -> pd.DataFrame:
    """Read all claims that chapters and the audit (4.1) have checked, by section; evidence: `here` or THEIRS."""
    files = {out.tables / f"claims_{chapter}.csv": here for chapter in chapters()}
    files |= {out.tables / "audit_claims.csv": THEIRS}
    tables = [pd.read_csv(file).assign(evidence=evidence) for file, evidence in files.items() if file.exists()]
    if tables and THEIRS in set(tables[-1]["evidence"]):
        tables[-1] = tables[-1].rename(columns={"where": "section", "difference": "here"})
    found = pd.concat(tables, ignore_index=True).reindex(columns=[*COLUMNS, "evidence"])
    found["section"] = found["section"].astype(str)
    return found.sort_values("section", key=lambda column: column.str.extract(r"([\d.]+)")[0], kind="stable")


def shown_claims(checked: pd.DataFrame, further: list[str]) -> Styler:
    """Format the claims for readers, with the interval folded into the value."""
    measured = checked.rename(columns={"low": "here low", "high": "here high"})
    columns = {"section": checked["section"], "claim": checked["claim"]}
    columns |= interval_cells(measured, {"here": "here"}, ".2f") | {name: checked[name] for name in further}
    # an empty cell is read from a file as a number
    pairs = zip(checked["verdict"], checked["would decide"], strict=True)
    columns["verdict"] = [
        f"{word} ({enough})" if isinstance(enough, str) and enough else word for word, enough in pairs
    ]
    styler = pd.DataFrame(columns).style.hide().format(escape="html")
    return styler.set_properties(subset=["claim", "verdict"], **{"text-align": "left"})  # pyright: ignore


def zero_shot_results(book: Notebook, target: Target, result: ZeroShot, weights: Weights, table: int) -> None:
    """Show a zero-shot transfer beside the thesis's table and its controls, per second; then its labels per frame."""
    theirs, name = published_table(table), book.params.data.name
    shown, values = beside(result.ours, theirs, name, controls=result.controls)
    book.table(table, shown, values, f"Zero-shot transfer with {weights} weights, one label per second. {SPREADS}")
    commonest = result.controls["commonest class of training"]["accuracy"].iloc[-1]
    ours = result.ours["accuracy"].iloc[-1]
    book.say(sentences.transfer(ours, theirs["accuracy"]["mean"], result.untrained, commonest))
    book.say(sentences.seconds_not_scored(*target.unscored()))
    _per_frame(book, result.frames, result.ours, f"zero_shot_{weights}_frames", f"Zero-shot, {weights} weights")


def fine_tuned_results(
    book: Notebook, target: Target, result: FineTuned, weights: Weights, epochs: int, table: int, figure: int
) -> None:
    """Show a fine-tuning beside the thesis's table, and its confusion matrices, each with a sentence."""
    theirs, ours = published_table(table), result.tables[epochs]
    caption = f"Fine-tuned for {epochs} epochs, {weights} weights"
    chosen = sentences.epoch_chosen(book.params.finetune.select_on)
    book.table(
        table, *beside(ours, theirs, book.params.data.name), f"{caption}, one label per second. {chosen} {SPREADS}"
    )
    book.say(sentences.scores_beside(ours.iloc[-1], theirs.loc["mean"]))
    first = book.params.finetune.epochs[0]
    if epochs == first:
        book.say(sentences.seconds_not_scored(*target.unscored()))
    elif book.whole:
        gains = (ours["accuracy"] - result.tables[first]["accuracy"]).drop("mean")
        thesis = (theirs["accuracy"] - published_table(table - 1)["accuracy"])["mean"]
        book.say(sentences.gain(f"{epochs} epochs against {first}", mean_interval(gains.tolist()), thesis))
    matrices = confusions(book, target, f"videoclip_{weights}_{epochs}_epochs", figure, caption)
    book.say(sentences.most_confused(matrices))


def fine_tuning_begins(book: Notebook, target: Target, result: FineTuned, table: int) -> None:
    """Say how a fine-tuning starts, what it cannot learn, where its short form ends, beside the thesis's `table`."""
    settings, classes = book.params.finetune, len(target.dataset.classes)
    videos = len(target.dataset.split(book.splits[0])[0])
    begins = sentences.first_epoch(result.history, videos, settings.warmup, settings.head or classes, classes)
    book.say(f"{begins} {sentences.not_learnt({split: target.absent(split) for split in book.splits})}")
    theirs = published_table(table)["best_epoch"]
    short = result.history[result.history["epoch"] <= settings.epochs[0]]
    book.say(sentences.losses_at_the_end(short, int((theirs == theirs.max()).sum())))


def fine_tuning_losses(book: Notebook, result: FineTuned, weights: Weights, epochs: int, figure: int) -> None:
    """Show training and test loss of all splits."""
    history = result.history[result.history["epoch"] <= epochs]
    losses = {"train_loss": "training loss", "test_loss": "test loss"}
    caption = f"Fine-tuning for {epochs} epochs, {weights} weights."
    book.figure(figure, plots.learning_curve_panels(history, losses), history, caption)


def confusions(book: Notebook, target: Target, method: str, figure: int, caption: str) -> dict[int, pd.DataFrame]:
    """Show, keep and return a method's confusion matrices, by split."""
    matrices = split_matrices(book.out, target.dataset, book.splits, method)
    caption = f"Confusion matrices, shares of the true class's seconds. {caption}."
    book.figure(figure, draw_confusions(matrices), long_table(matrices), caption)
    return matrices


def fine_tuned_frames(book: Notebook, result: FineTuned, weights: Weights) -> None:
    """Show the scores of the longest fine-tuning's labels per frame."""
    epochs = book.params.finetune.epochs[-1]
    caption = f"Fine-tuned for {epochs} epochs, {weights} weights"
    _per_frame(book, result.frames, result.tables[epochs], f"finetuned_{weights}_frames", caption)


def _per_frame(book: Notebook, frames: pd.DataFrame, seconds: pd.DataFrame, name: str, caption: str) -> None:
    book.table(name, *alone(frames, book.params.data.name), f"{caption}, scored per frame.")
    book.say(sentences.two_protocols(seconds.iloc[-1], frames.iloc[-1]))


def zero_shot_claims(book: Notebook, result: ZeroShot, weights: Weights) -> None:
    """Check what the thesis says about a zero-shot transfer."""
    controls = dict(zip(("untrained", "commonest"), result.controls.values(), strict=True))
    show_claims(book, tables={f"videoclip_{weights}_zero_shot": result.ours} | controls)


def fine_tuning_claims(book: Notebook, target: Target, result: FineTuned, weights: Weights) -> None:
    """Check what the thesis says about a fine-tuning; its 8 and 15 epochs are the profile's first and last."""
    epochs = book.params.finetune.epochs
    names = {f"videoclip_{weights}_8_epochs": epochs[0], f"videoclip_{weights}_15_epochs": epochs[-1]}
    matrices = {
        name: video_matrices(book.out, target.dataset, book.splits, f"videoclip_{weights}_{ours}_epochs")
        for name, ours in names.items()
    }
    tables = {name: result.tables[ours] for name, ours in names.items()}
    show_claims(book, matrices=matrices, tables=tables, histories=dict.fromkeys(names, result.history))
