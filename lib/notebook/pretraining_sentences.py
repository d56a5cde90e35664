"""Computed sentences about the demo's backbones, VideoCLIP and its pre-training (thesis 2.2, 2.4 to 2.6)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.scoring.words import counted


def s3d(blocks: pd.DataFrame, text_side: int, width: float) -> str:
    """Say where the released S3D differs from the thesis's description, and its size."""
    full, here = blocks["full-size parameters"].sum() / 1e6, blocks["parameters"].sum() / 1e6
    stem = blocks.set_index("block").loc["conv1", "kernels"]
    return (
        "The thesis writes that the first and the third convolution are split. In the released net only the third is "
        f"(`conv_2c`): the first has one kernel, {stem}, and reads cubes of 2x2x2 pixels that have become channels "
        "(its first output along each axis is cut off). Nor does the text mention the gates: this is S3D-G. At full "
        f"size the video side has {full:.2f} million parameters, with the text side of Figure 14 "
        f"{full + text_side / 1e6:.2f} million. Here the video side has {here:.2f} million, at width {width:g}."
    )


def s3d_training(hit: float, batches: int, batch: int, words: int) -> str:
    """Result of training with MIL-NCE.

    >>> s3d_training(50.0, 100, 16, 120)[:67]
    'After 100 batches, 50 % of the clips score highest with a caption o'
    """
    return (
        f"After {batches} batches, {hit:.0f} % of the clips score highest with a caption of their own, among those of "
        f"{batch} clips; a guess would give {100 / batch:.0f} %. The vocabulary has {words} words."
    )


def mil_nce_scores(scores: np.ndarray, normalized: bool) -> str:
    """Say what the scores (B, B·K) of Figure 14 show.

    >>> mil_nce_scores(np.eye(3), normalized=False)[-83:]
    'ips that score highest with one of their own 1 candidates: 3 of 3; a guess gives 1.'
    """
    candidates = scores.shape[1] // len(scores)
    hits = (scores.argmax(axis=1) // candidates == np.arange(len(scores))).sum()
    return (
        "The thesis takes the 5 nearest captions, and 512 negatives from the batch. The released code samples none: it "
        "takes all other clips and captions of the batch, and its denominator counts a clip's own scores twice. "
        f"{'The vectors f(x) in the figure have length 1, as features are kept. ' if normalized else ''}"
        f"Clips that score highest with one of their own {candidates} candidates: {hits} of {len(scores)}; "
        "a guess gives 1."
    )


def videoclip_size(parts: pd.DataFrame, poolers: int, last: int) -> str:
    """Parameters of VideoCLIP at full size and in this profile, and the position of [SEP].

    >>> parts = pd.DataFrame({"parameters": [1e6], "full-size parameters": [176e6]})
    >>> videoclip_size(parts, 1_200_000, 33)[:66]
    'At full size our VideoCLIP has 176.0 million parameters, with BERT'
    """
    full, here = parts["full-size parameters"].sum() / 1e6, parts["parameters"].sum() / 1e6
    return (
        f"At full size our VideoCLIP has {full:.1f} million parameters, with BERT's poolers, which the published one "
        f"carries along but never uses, {full + poolers / 1e6:.1f} million (published: 176.2 and 177.4). This "
        f"profile's has {here:.1f} million. [SEP] of a clip has position {last}, however short the clip."
    )


def pair_overlap(drawn: pd.DataFrame, seconds: int, lengths: tuple[int, int]) -> str:
    """Say how far the clips of drawn pairs overlap their captions.

    >>> drawn = pd.DataFrame({"start": [0, 5], "end": [4, 9], "text start": [0, 9], "text end": [4, 12]})
    >>> pair_overlap(drawn, 20, (3, 32))[-87:]
    ' 50 % of the clips share less than half of their time with their captions, 50.0 % none.'
    """
    shared = drawn[["end", "text end"]].min(axis=1) - drawn[["start", "text start"]].max(axis=1)
    clip, text = drawn["end"] - drawn["start"], drawn["text end"] - drawn["text start"]
    return (
        "The thesis draws clips of 0 to 32 seconds; its code draws 3 to 32, this profile "
        f"{lengths[0]} to {lengths[1]}. Of {len(drawn)} pairs from this video ({seconds} s), a clip lasts "
        f"{clip.mean():.1f} s on average and its captions {text.mean():.1f} s. The thesis says that the two overlap by "
        f"at least half; the sampler does not require it: {100 * (shared < clip / 2).mean():.0f} % of the clips share "
        f"less than half of their time with their captions, {100 * (shared <= 0).mean():.1f} % none."
    )


def lowest_loss(history: pd.DataFrame, clusters: int) -> str:
    """Length of a pre-training, and where its validation loss is lowest.

    >>> lowest_loss(pd.DataFrame({"epoch": [0.0, 0.5, 1.0], "update": [0, 5, 10], "random_loss": [4.0, 2.0, 2.5]}), 7)
    '10 updates of C = 7 in 1 epoch. The validation loss is lowest at epoch 0.50 and ends 0.50 above that.'
    >>> lowest_loss(pd.DataFrame({"epoch": [0.0, 1.0, 2.0], "update": [0, 5, 10], "random_loss": [4.0, 2.5, 2.0]}), 7)
    '10 updates of C = 7 in 2 epochs. The validation loss is still falling at its last epoch.'
    """
    losses, last = history.set_index("epoch")["random_loss"], history.iloc[-1]
    above = f"{losses.iloc[-1] - losses.min():.2f}"
    lowest = f"lowest at epoch {losses.idxmin():.2f} and ends {above} above that"
    epochs = counted(round(last["epoch"]), "epoch")
    return (
        f"{int(last['update'])} updates of C = {clusters} in {epochs}. The validation loss is "
        f"{lowest if above != '0.00' else 'still falling at its last epoch'}."
    )


def training_loss(losses: pd.Series, pairs: int) -> str:
    """Say how far the training loss falls, beside that of a guess.

    >>> training_loss(pd.Series([4.0, 3.0]), 8)
    'The training loss goes from 4.00 to 3.00. If all pairs were equally likely, it would be 2 ln 8 = 4.16.'
    """
    return (
        f"The training loss goes from {losses.iloc[0]:.2f} to {losses.iloc[-1]:.2f}. If all pairs were equally "
        f"likely, it would be 2 ln {pairs} = {2 * np.log(pairs):.2f}."
    )


def gaps_at_the_end(random: float, mined: float, spread: float) -> str:
    """Validation loss less training loss by kind of negatives, and how far apart a cluster's videos are.

    >>> gaps_at_the_end(-0.5, 0.25, 0.8)[:81]
    'At the end, validation loss less training loss is -0.50 with random negatives and'
    """
    return (
        f"At the end, validation loss less training loss is {random:+.2f} with random negatives and {mined:+.2f} with "
        f"mined ones. Videos of a training cluster are {spread:.2f} times as far apart as videos drawn at random."
    )


def zero_shot_while_training(scores: pd.Series) -> str:
    """Zero-shot accuracy before, during and after a pre-training.

    >>> zero_shot_while_training(pd.Series([5.0, 9.0, 8.0]))
    'Percent of correct seconds: 5.0 untrained, 8.0 at the end of this run, 9.0 at its best.'
    """
    return (
        f"Percent of correct seconds: {scores.iloc[0]:.1f} untrained, {scores.iloc[-1]:.1f} at the end of this run, "
        f"{scores.iloc[1:].max():.1f} at its best."
    )


def untrained_seeds(scores: pd.Series) -> str:
    """Zero-shot accuracy of untrained models, and what the intervals cover.

    >>> untrained_seeds(pd.Series([4.0, 6.0]))[:62]
    'The untrained model scores 5.0 % (from 4.0 to 6.0 over 2 seeds'
    """
    if len(scores) == 1:
        return f"The untrained model scores {scores.iloc[0]:.1f} %. One run of each: no interval."
    return (
        f"The untrained model scores {scores.mean():.1f} % (from {scores.min():.1f} to {scores.max():.1f} over "
        f"{len(scores)} seeds). Intervals are Student's t over these seeds, so they are wide: they cover the chance of "
        "the seeds, not that of the videos."
    )


def published_checkpoint(score: float, untrained: float) -> str:
    """Zero-shot accuracy of the published checkpoint.

    >>> published_checkpoint(45.7, 5.0)
    'The published checkpoint scores 45.7 % of the seconds, an untrained model 5.0 %.'
    """
    return f"The published checkpoint scores {score:.1f} % of the seconds, an untrained model {untrained:.1f} %."


def trained_streams(histories: Mapping[str, pd.DataFrame], verbs: int, things: int) -> str:
    """Say how many training clips the streams of I3D name correctly at the end.

    >>> trained_streams({"rgb": pd.DataFrame({"epoch": [7], "verb": [91.0], "thing": [80.0]})}, 16, 40)
    'Of 16 verbs and 40 things, the last epoch named 91 % and 80 % correctly (rgb, epoch 7).'
    """
    ends = {stream: history.iloc[-1] for stream, history in histories.items()}
    parts = [
        f"{end['verb']:.0f} % and {end['thing']:.0f} % correctly ({stream}, epoch {end['epoch']:.0f})"
        for stream, end in ends.items()
    ]
    return f"Of {verbs} verbs and {things} things, the last epoch named {' and '.join(parts)}."


def provenance(record: Mapping, nets: Mapping[str, str]) -> str:
    """Say how the shipped nets were made, and what a linear probe reads from them on the development set.

    >>> record = {"command": "make", "machine": "a PC", "revision": "1a", "CPU minutes": {"a": 9.6},
    ...     "development": {"commonest class": 10.0, "a": 50.2, "a untrained": 9.0}}
    >>> provenance(record, {"a": "A"})[84:]
    'linear probe recognizes 50.2 % (a) and 9.0 % (a untrained) of the seconds; the commonest class has 10.0 %.'
    """
    minutes = " and ".join(f"{record['CPU minutes'][name]:.0f} CPU minutes ({words})" for name, words in nets.items())
    scores = [
        f"{score:.1f} % ({name})"
        for name, score in record["development"].items()
        if any(name.startswith(net) for net in nets)
    ]
    return (
        f"Made by `{record['command']}` in {minutes} on {record['machine']}, revision {record['revision']}. On the "
        f"development set a linear probe recognizes {', '.join(scores[:-1])} and {scores[-1]} of the seconds; the "
        f"commonest class has {record['development']['commonest class']:.1f} %."
    )


def live_steps(history: pd.DataFrame, steps: int) -> str:
    """Whether the loss fell in a handful of steps.

    >>> live_steps(pd.DataFrame({"loss": [6.5, 6.0, 5.5]}), 12)
    'In 12 steps from random weights the loss goes from 6.50 to 5.50.'
    """
    first, last = history["loss"].iloc[0], history["loss"].iloc[-1]
    return f"In {steps} steps from random weights the loss goes from {first:.2f} to {last:.2f}."
