"""Training the demo's S3D with MIL-NCE on its narrated videos (thesis 2.4.1, Figure 14, equation 4).

A clip is drawn anywhere in a video; the captions nearest to it in time are its candidates, one of which may fit. The
text side reads word vectors, as published; here they come from the shipped text model in the place of word2vec. Of each
video several clips are drawn: with one of each, as published for a million videos, the net learns to tell our few
hundred kitchens apart and what was said in each, and nothing of actions.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.backbones import labelled_clips
from lib.backbones.labelled_clips import start_on_clips
from lib.backbones.s3d import S3D, Words, mil_nce_loss, piece_vectors, words_of
from lib.backbones.text import tokenizer, word_pieces
from lib.core.checkpoints import Learner, saved_state
from lib.core.files import key
from lib.core.progress import track
from lib.core.settings import Demo, MilNce, S3DFeatures, VideoClip
from lib.core.training import Row, fit, one_cycle, set_rate
from lib.data.frames import random_squares, to_clips
from lib.data.narrated import caption_file, caption_tracks, read_list
from lib.data.video import read_video

MADE_BY = ("backbones.mil_nce", "backbones.text", "data.narrated", "data.video", *labelled_clips.MADE_BY)


class Corpus:
    """The training videos of a narrated set with their captions, decoded into memory.

    Args:
        root: of the set.
        words: that captions are read with.
        settings: how clips and captions are drawn.
    """

    def __init__(self, root: Path, words: Words, settings: MilNce):
        tracks = sorted(caption_tracks(caption_file(root), set(read_list(root, "train"))), key=lambda track: track[0])
        self.settings, self.frames, self.middles, self.numbers = settings, [], [], []
        for name, start, end, text in track(tracks, "decoding, video"):
            video = read_video(root / "videos" / f"{name}.avi")
            self.frames.append(torch.from_numpy(np.stack(list(video))))
            self.middles.append(video.fps * (start + end) / 2)
            self.numbers.append(words.numbers(text, settings.words))

    def draw(self) -> tuple[Tensor, Tensor]:
        """Clips (B, frames, S, S, 3) uint8 and their candidates' words (B·K, words), clip by clip."""
        settings, clips, captions = self.settings, [], []
        for video in torch.randint(len(self.frames), (settings.batch // settings.per_video,)).tolist():
            firsts = len(self.frames[video]) - settings.frames + 1
            for part in range(settings.per_video):  # one from each part of the video
                first = int((part + torch.rand(()).item()) * firsts / settings.per_video)
                clips.append(self.frames[video][first : first + settings.frames])
                far = np.abs(self.middles[video] - first - settings.frames / 2)
                nearest = np.argsort(far, kind="stable")
                captions.append(self.numbers[video][np.resize(nearest, settings.candidates).tolist()])
        return torch.stack(clips), torch.cat(captions)


def train_s3d(
    root: Path, demo: Demo, s3d: S3DFeatures, settings: MilNce, text: VideoClip, folder: Path
) -> tuple[S3D, Words, pd.DataFrame]:
    """Train on labelled clips, then on a narrated set; what is finished is loaded, what was killed goes on.

    Args:
        root: of the narrated set, with videos/.
        demo: how the labelled clips look.
        s3d, settings: the net; its training.
        text: names the text model whose word pieces give the word vectors.
        folder: of the run.

    Returns:
        The net in evaluation mode, the words that it knows, and the history: epoch, learning_rate, loss and hit (share
        of clips whose best caption of the batch is one of their own candidates, percent).
    """
    listed = set(read_list(root, "train"))
    captions = [line for _, _, _, lines in caption_tracks(caption_file(root), listed) for line in lines]
    words = words_of(captions)
    net = build_s3d(s3d, words, text, settings.seed)
    sections = [s3d.model_dump(exclude={"normalize", "dtype"}), settings.model_dump(), demo.model_dump(), text.start]
    files = [root / "train.lst", caption_file(root), root / "steps.json"]
    identity = key(sections, code=MADE_BY, files=files)
    if saved_state(folder / "weights.safetensors").get("key") != identity:
        start_on_clips(net, demo, s3d, settings, folder.with_name(f"{folder.name}_clips"))
        net.fc.weight.data *= 0.1  # large features by now: else the first scores are in the tens and wash them out

    @cache  # not decoded when the run is finished
    def corpus() -> Corpus:
        return Corpus(root, words, settings)

    def batches_of(epoch: int) -> range:
        set_rate(optimizer, settings.learning_rate * one_cycle(epoch - 1, settings.epochs))
        return range(settings.batches)

    def losses_of(_batch: int) -> list[tuple[Tensor, Row]]:
        clips, numbers = corpus().draw()
        video, text = embed(net, random_squares(clips, settings.square), s3d.crop), net.text_module(numbers)
        best = (video @ text.T).argmax(dim=1) // settings.candidates
        hit = 100 * (best == torch.arange(len(video))).float().mean().item()
        return [(mil_nce_loss(video, text), {"hit": hit})]

    def measure(_epoch: int, sums: Row) -> Row:
        return {name: value / settings.batches for name, value in sums.items()}

    learns = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learns, settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    run = {"epochs": settings.epochs, "seed": settings.seed, "folder": folder, "key": identity}
    return net, words, fit(Learner(net, optimizer), batches_of, losses_of, measure, **run)


def build_s3d(settings: S3DFeatures, words: Words, text: VideoClip, seed: int) -> S3D:
    """A net with random weights, and word vectors from the text model; the global generator is left alone."""
    pieces = word_pieces(text)
    tokens = tokenizer(text)
    vectors = piece_vectors(words, pieces, lambda batch: tokens(batch, add_special_tokens=False)["input_ids"])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = S3D(settings.embedding_dim, settings.width, len(vectors), vectors.shape[1], settings.text_hidden)
    net.text_module.word_embd.weight.data.copy_(vectors)
    return net


def embed(net: S3D, frames: Tensor, size: int) -> Tensor:
    """Embeddings of frames (B, T, H, W, 3) uint8: (B, E).

    In float32: on processors with bfloat16 the gradient of a temporal convolution over two frames came out as 1e14.
    """
    return net(to_clips(frames, size))[0]
