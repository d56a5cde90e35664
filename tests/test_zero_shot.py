"""Zero-shot segmentation against the same thing written out second by second."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from narrated_data import tiny_videoclip
from torch import Tensor

from lib.videoclip.model import VideoCLIP
from lib.videoclip.windows import cut_windows, merge_windows
from lib.videoclip.zero_shot import class_vectors, prompts, second_accuracy, second_scores

CLASSES = ["cut_tomato", "place_tomato_into_bowl", "mix_ingredients", "serve_salad_onto_plate"]
INPUT, SIZE, STRIDE = 6, 8, 4


@pytest.fixture(scope="module")
def model() -> VideoCLIP:
    return tiny_videoclip(INPUT, SIZE, layers=2, spread=0.2, dropout=0.1).eval()


@pytest.fixture(scope="module")
def vectors(model, tokenizer) -> Tensor:
    return class_vectors(model, tokenizer, prompts(CLASSES, "words"))


def video(seed: int, seconds: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((seconds, INPUT)).astype(np.float16)


@torch.inference_mode()
def written_out(model: VideoCLIP, features: np.ndarray, vectors: Tensor, cls_visible: bool) -> np.ndarray:
    """Scores of each second: its state in every window that holds it, window by window; the mean of these states."""
    states: list[list[Tensor]] = [[] for _ in features]
    for start in range(0, len(features), STRIDE):
        part = torch.from_numpy(features[start : start + SIZE].astype(np.float32))[None]
        seen = model.video_states(part, torch.ones(part.shape[:2]), cls_visible)[0]
        for second, state in enumerate(seen, start):
            states[second].append(state)
        if start + SIZE >= len(features):
            break
    return torch.stack([torch.stack(some).mean(dim=0) @ vectors.T for some in states]).numpy()


@settings(max_examples=20)
@given(seconds=st.integers(1, 40), visible=st.booleans(), seed=st.integers(0, 2**31))
def test_averaging_scores_is_averaging_states(model, vectors, seconds, visible, seed):
    features = video(seed, seconds)
    scores = second_scores(model, features, vectors, STRIDE, visible)
    assert scores.dtype == np.float32 and scores.shape == (seconds, len(CLASSES))
    np.testing.assert_allclose(scores, written_out(model, features, vectors, visible), rtol=0, atol=1e-4)
    windows, mask, starts = cut_windows(torch.from_numpy(features.astype(np.float32)), SIZE, STRIDE)
    with torch.inference_mode():
        states = merge_windows(model.video_states(windows, mask, visible), starts, seconds)
    np.testing.assert_allclose(scores, states @ vectors.T, rtol=0, atol=1e-4)


def test_prompts_are_read_by_the_text_tower_one_by_one(model, tokenizer, vectors):
    for text, vector in zip(prompts(CLASSES, "words"), vectors, strict=True):
        torch.testing.assert_close(class_vectors(model, tokenizer, [text])[0], vector, rtol=0, atol=1e-5)
    raw = class_vectors(model, tokenizer, prompts(CLASSES, "raw"))
    assert ((raw - vectors).abs().amax(dim=1) > 0.01).all()


def test_accuracy_is_the_share_of_correct_seconds(model, tokenizer, vectors):
    """True classes are those that win when written out, but for some seconds that are made wrong."""
    videos, wrong, total = [], 0, 0
    for seed, seconds in ((1, 30), (2, 5), (3, 17)):
        features = video(seed, seconds)
        truth = written_out(model, features, vectors, True).argmax(axis=1)
        assert len(set(truth)) > 1
        spoilt = np.arange(seconds) % (seed + 1) == 0
        truth[spoilt] = (truth[spoilt] + 1) % len(CLASSES)
        videos.append((features, truth))
        wrong, total = wrong + int(spoilt.sum()), total + seconds
    texts = prompts(CLASSES, "words")
    model.train()  # dropout must not take part
    accuracy = second_accuracy(model, tokenizer, videos, texts, STRIDE)
    assert accuracy == pytest.approx(100 * (total - wrong) / total)


@pytest.mark.parametrize("shorter", ["features", "truth"])
def test_seconds_that_only_one_side_has_do_not_count(model, tokenizer, vectors, shorter):
    features = video(4, 12)
    truth = written_out(model, features, vectors, True).argmax(axis=1)
    truth[:3] = (truth[:3] + 1) % len(CLASSES)
    truth = np.append(truth, [0] * 5) if shorter == "features" else truth[:10]
    accuracy = second_accuracy(model, tokenizer, [(features, truth)], prompts(CLASSES, "words"), STRIDE)
    counted = min(12, len(truth))
    assert accuracy == pytest.approx(100 * (counted - 3) / counted)
