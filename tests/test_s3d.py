"""S3D-G and MIL-NCE against the published code's outputs (tests/golden) and against plain re-implementations."""

import json
import math
import re

import numpy as np
import pytest
import torch
from golden_weights import GOLDEN, cases, check, check_loss, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lib.backbones.s3d import S3D, mil_nce_loss
from lib.core.checkpoints import read_weights

KEYS = json.loads((GOLDEN / "s3dg_keys.json").read_text())["keys"]
MIL_NCE = cases("milnce.npz")
FORWARD = [  # scale, file, tolerance: an absolute one, or 2e-5 of the largest value
    (0.05, "1x16x64x64", 1e-6),
    (0.08, "1x16x64x64_s08", None),
    (0.08, "2x32x64x64_s08", None),
    (0.08, "1x10x72x88_s08", None),
]
SMALL = {"embedding_dim": 16, "width": 0.1, "words": 30, "word_dim": 6, "text_hidden": 12}


@pytest.fixture(scope="module")
def published(request) -> S3D:
    """The full-size net with the golden files' weights, at the scale that the test asks for."""
    net = S3D()
    fill(net, request.param)
    return net.eval()


@pytest.fixture
def small() -> S3D:
    torch.manual_seed(0)
    net = S3D(**SMALL)
    fill(net, 0.3)
    return net.eval()


def clip(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape).astype(np.float32))


@pytest.mark.parametrize("published", [0.05], indirect=True)
def test_names_shapes_and_their_order_are_the_published_codes(published):
    state = published.state_dict()
    assert [[name, list(value.shape), str(value.dtype)] for name, value in state.items()] == KEYS


@pytest.mark.parametrize(("published", "file", "tolerance"), FORWARD, indirect=["published"])
@torch.inference_mode()
def test_outputs_are_the_published_codes(published, file, tolerance):
    golden = np.load(GOLDEN / f"s3dg_{file}.npz")
    np.testing.assert_allclose(check(published.state_dict()), golden["param_check"], rtol=1e-7)
    clips, *sizes = map(int, file.split("_")[0].split("x"))
    video = clip(clips, 3, *sizes, seed=int(golden["seed"]))
    np.testing.assert_array_equal(video.flatten()[:8], golden["x_head"])
    for ours, name in zip(published(video), ("video_embedding", "mixed_5c"), strict=True):
        atol = tolerance or 2e-5 * np.abs(golden[name]).max()
        np.testing.assert_allclose(ours, golden[name], rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("published", [0.05], indirect=True)
@torch.inference_mode()
def test_text_vectors_are_the_published_codes(published):
    golden = np.load(GOLDEN / "s3dg_text.npz")
    vectors = published.text_module(torch.from_numpy(golden["ids"]))
    np.testing.assert_allclose(vectors, golden["text_embedding"], rtol=0, atol=5e-6)


@pytest.mark.parametrize("case", MIL_NCE)
def test_mil_nce_is_the_published_codes(case):
    golden = MIL_NCE[case]
    check_loss(mil_nce_loss, golden, atol=5e-5 if np.abs(golden["video"]).max() > 5 else 2e-6)


@settings(max_examples=30)
@given(clips=st.integers(1, 6), candidates=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_mil_nce_is_equation_4_written_out(clips, candidates, seed):
    rng = np.random.default_rng(seed)
    video, text = rng.standard_normal((clips, 5)), rng.standard_normal((clips, candidates, 5))
    losses = []
    for i in range(clips):
        own = sum(math.exp(video[i] @ caption) for caption in text[i])
        row = sum(math.exp(video[i] @ caption) for caption in text.reshape(-1, 5))
        column = sum(math.exp(other @ caption) for other in video for caption in text[i])
        losses.append(-math.log(own / (row + column)))
    ours = mil_nce_loss(torch.from_numpy(video), torch.from_numpy(text.reshape(-1, 5)))
    assert ours.item() == pytest.approx(np.mean(losses), rel=1e-9)


@pytest.mark.parametrize(
    "shape", [(1, 3, 15, 64, 64), (1, 3, 16, 63, 64), (1, 3, 16, 64, 65), (1, 4, 16, 64, 64), (3, 16, 64, 64)]
)
def test_clips_of_another_form_are_refused(small, shape):
    with pytest.raises(ValueError, match="even T, H and W; got " + re.escape(str(shape))):
        small(torch.zeros(shape))


@torch.inference_mode()
def test_a_published_checkpoint_loads_strictly(small, tmp_path):
    """Their file is the bare state dict; here it is of a narrow net, so that it is small."""
    assert list(small.state_dict()) == [name for name, *_ in KEYS]
    path = tmp_path / "s3d_howto100m.pth"
    torch.save(small.state_dict(), path)
    torch.manual_seed(1)
    net = S3D(**SMALL).eval()
    video, ids = clip(2, 3, 8, 32, 32), torch.randint(0, 30, (4, 16))
    assert not torch.equal(net(video)[0], small(video)[0])
    net.load_state_dict(read_weights(path, None, "fetch it"), strict=True)
    for ours, theirs in zip(net(video), small(video), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(net.text_module(ids), small.text_module(ids))


@torch.inference_mode()
@pytest.mark.parametrize(
    ("width", "feature_dim", "stem"),
    [(1, 1024, 64), (0.5, 512, 32), (0.25, 256, 16), (1.5, 1536, 96), (0.001, 32, 8)],  # never fewer than 8 a branch
)
def test_width_scales_all_channels(width, feature_dim, stem):
    net = S3D(**SMALL | {"width": width}).eval()
    embedding, feature = net(clip(1, 3, 4, 32, 32))
    assert (embedding.shape, feature.shape, net.feature_dim) == ((1, 16), (1, feature_dim), feature_dim)
    assert net.conv1.conv1.weight.shape == (stem, 24, 2, 4, 4)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.tuples(*[st.integers(1, 10)] * 3), seed=st.integers(0, 2**31))
@torch.inference_mode()
def test_a_clip_has_the_same_vectors_alone_and_in_a_batch(small, sizes, seed):
    """Any even size will do, however small. The last layer is measured by its largest sum without signs."""
    video = clip(3, 3, *(2 * size for size in sizes), seed=seed)
    (vectors, features), (vector, feature) = small(video), small(video[1:2])
    torch.testing.assert_close(features[1:2], feature, rtol=0, atol=2e-5 * feature.max().item())
    largest = nn.functional.linear(feature, small.fc.weight.abs(), small.fc.bias.abs()).max()
    torch.testing.assert_close(vectors[1:2], vector, rtol=0, atol=2e-5 * largest.item())


def test_gradients_reach_everything_but_the_word_vectors(small):
    small.train()
    video, _ = small(clip(2, 3, 16, 64, 64))
    mil_nce_loss(video, small.text_module(torch.randint(1, 30, (4, 5)))).backward()
    without = [name for name, value in small.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == ["text_module.word_embd.weight"]


@torch.inference_mode()
def test_the_last_layer_is_exact_in_mixed_precision(small):
    with torch.autocast("cpu", torch.bfloat16):
        embedding, feature = small(clip(1, 3, 8, 32, 32))
    assert (embedding.dtype, feature.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(embedding, small.fc(feature), rtol=0, atol=0)


@torch.inference_mode()
def test_a_sentence_is_its_words_in_any_order_and_its_padding(small):
    vectors = small.text_module(torch.tensor([[3, 7, 9, 0], [9, 3, 0, 7], [3, 0, 0, 0], [3, 3, 3, 3]]))
    assert torch.equal(vectors[0], vectors[1])
    assert not torch.equal(vectors[2], vectors[3])  # as published, 0 is a word like others
