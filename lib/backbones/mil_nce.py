"""Training of the demo's S3D with MIL-NCE on its narrated videos (thesis 2.4.1, Figure 14, equation 4).

A clip is drawn anywhere in a video; the captions nearest to it in time are its candidates, one of which may fit. The
text side reads fixed word vectors, as published; here they come from the shipped text model instead of word2vec.
Several clips are drawn from each video. With one, as published for a million videos, the net learns to distinguish our
few hundred kitchens by what was said there, and nothing about actions.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import BertModel

from lib.backbones import labelled_clips
from lib.backbones.labelled_clips import UNSEEN, augmented, start_on_clips
from lib.backbones.s3d import S3D, Words, mil_nce_loss, piece_vectors, words_of
from lib.backbones.text import from_start, tokenizer
from lib.core.devices import choose_device
from lib.core.files import key
from lib.core.processes import track
from lib.core.settings import Demo, MilNce, S3DFeatures, VideoClip
from lib.core.training import Row, fit_batches
from lib.data.frames import to_clips
from lib.data.narrated import caption_file, caption_tracks, read_list
from lib.data.video import read_video

MADE_BY = ("backbones.mil_nce", "backbones.text", "data.narrated", "data.video", *labelled_clips.MADE_BY)


class DecodedVideos:
    """Videos of a narrated set and their captions, decoded into memory."""

    def __init__(self, root: Path, names: Sequence[str], words: Words, settings: MilNce):
        tracks = sorted(caption_tracks(caption_file(root), set(names)), key=lambda track: track[0])
        self.settings, self.frames, self.middles, self.numbers = settings, [], [], []
        for name, start, end, text in track(tracks, "decoding, video"):
            video = read_video(root / "videos" / f"{name}.avi")
            self.frames.append(torch.from_numpy(np.stack(list(video))))
            self.middles.append(video.fps * (start + end) / 2)
            self.numbers.append(words.numbers(text, settings.words))

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw clips (B, frames, S, S, 3) uint8 and the words of their K candidates (B·K, words), clip by clip."""
        settings, clips, captions = self.settings, [], []
        for video in torch.randint(len(self.frames), (settings.batch // settings.per_video,)).tolist():
            firsts = len(self.frames[video]) - settings.frames + 1
            # one from each part of the video
            for part in range(settings.per_video):
                first = int((part + torch.rand(()).item()) * firsts / settings.per_video)
                clips.append(self.frames[video][first : first + settings.frames])
                far = np.abs(self.middles[video] - first - settings.frames / 2)
                nearest = np.argsort(far, kind="stable")
                captions.append(self.numbers[video][np.resize(nearest, settings.candidates).tolist()])
        return torch.stack(clips), torch.cat(captions)


def train_s3d(
    root: Path, demo: Demo, s3d: S3DFeatures, settings: MilNce, text: VideoClip, folder: Path, first: int | None = None
) -> tuple[S3D, Words, pd.DataFrame]:
    """Train on labelled clips, then on a narrated set; a finished run is loaded, a killed one is resumed.

    Args:
        text: names the text model from whose word pieces the word vectors are made.
        first: number of training videos to read; None: all.

    Returns:
        The net in evaluation mode, its vocabulary, and the history: epoch, learning_rate, loss (of MIL-NCE, mil_nce,
        plus that of labelled clips), hit (percent of clips whose best caption in the batch is one of their own
        candidates), verb and thing (accuracy on labelled clips in percent).
    """
    listed = read_list(root, "train")[:first]
    words = words_of(line for track in caption_tracks(caption_file(root), set(listed)) for line in track[3])
    net = build_s3d(s3d, words, text, settings.seed)
    both, labelled = start_on_clips(net, demo, s3d, settings, folder.with_name(f"{folder.name}_clips"))
    # features are large by now; without this the first scores are in the tens, and their gradients destroy them
    net.fc.weight.data *= 0.1
    values = [s3d.model_dump(exclude=UNSEEN), settings.model_dump(), demo.model_dump(), text.start, first]
    identity = key(values, code=MADE_BY, files=[root / "train.lst", caption_file(root), root / "steps.json"])
    device = choose_device()
    # not decoded if the run is finished
    corpus = cache(partial(DecodedVideos, root, listed, words, settings))

    def batch_loss() -> tuple[Tensor, Row]:
        clips, numbers = corpus().draw()
        # in float32: in bfloat16 on a processor, the gradient of a temporal convolution over two frames was 1e14
        video = net(to_clips(augmented(clips, settings.square), s3d.crop).to(device))[0]
        text = net.text_module(numbers.to(device))
        best = (video @ text.T).argmax(dim=1) // settings.candidates
        own = torch.arange(len(video), device=device)
        nce = mil_nce_loss(video, text)
        remembered, accuracies = labelled(settings.batch // 2)
        shares = {"mil_nce": nce.item(), "hit": 100 * (best == own).float().mean().item()}
        return nce + remembered, shares | accuracies

    history = fit_batches(
        both,
        torch.optim.AdamW(both.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True),
        batch_loss,
        batches=settings.batches,
        epochs=settings.epochs,
        rate=settings.learning_rate,
        seed=settings.seed,
        folder=folder,
        key=identity,
    )
    return net.cpu(), words, history


def build_s3d(settings: S3DFeatures, words: Words, text: VideoClip, seed: int) -> S3D:
    """Build a net with random weights, and word vectors from the text model; the global generator is not used."""
    pieces = from_start(BertModel, text, add_pooling_layer=False).embeddings.word_embeddings.weight.detach()
    tokens = tokenizer(text)
    vectors = piece_vectors(words, pieces, lambda batch: tokens(batch, add_special_tokens=False)["input_ids"])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = S3D(settings.embedding_dim, settings.width, len(vectors), vectors.shape[1], settings.text_hidden)
    net.text_module.word_embd.weight.data.copy_(vectors)
    return net
