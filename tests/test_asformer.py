"""ASFormer against the published code's outputs (tests/golden) and against a plain re-implementation."""

import math

import numpy as np
import pytest
import torch
from golden_weights import GOLDEN, draw, fill
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_asformer import ReferenceASFormer

from lib.asformer.model import ASFormer, add_dropped, attention_mask, window_attention
from lib.asformer.training import segmentation_loss

FORWARD = [  # file, layers, maps, D, K, T, input seed, scale, tolerance
    ("asformer_l3_t37", 3, 16, 32, 7, 37, 1001, 0.05, 1e-6),
    ("asformer_l4_t250", 4, 16, 32, 7, 250, 1002, 0.05, 1e-6),
    ("asformer_l6_t1100", 6, 16, 32, 7, 1100, 1003, 0.05, 1e-6),
    ("asformer_l3_t37_s15", 3, 16, 32, 7, 37, 1001, 0.15, 1e-5),
    ("asformer_l6_t250_s15", 6, 16, 32, 7, 250, 1002, 0.15, 1e-5),
    ("asformer_full_t300", 10, 64, 2048, 19, 300, 1004, 0.05, 1e-5),
]


@pytest.mark.parametrize(("file", "layers", "maps", "dim", "classes", "frames", "seed", "scale", "tolerance"), FORWARD)
def test_outputs_are_the_published_codes(file, layers, maps, dim, classes, frames, seed, scale, tolerance):
    model = ASFormer(dim, classes, layers, maps).eval()
    fill(model, scale)
    with torch.no_grad():
        logits = model(draw(seed, 1, dim, frames))
    assert logits.shape == (4, 1, classes, frames)
    np.testing.assert_allclose(logits[:, 0], np.load(GOLDEN / f"{file}.npz")["logits"], rtol=0, atol=tolerance)


@pytest.fixture
def no_dropout(monkeypatch):
    monkeypatch.setattr("lib.asformer.model.add_dropped", lambda x, change, training: x + change)


def test_training_is_the_published_codes(no_dropout):
    golden = np.load(GOLDEN / "asformer_train.npz")
    model = ASFormer(32, 7, num_layers=4, num_maps=16, channel_mask=0.0)
    fill(model, 0.15)
    videos = []
    for seed, frames in ((1101, 120), (1103, 77), (1105, 201)):
        labels = np.random.default_rng(seed + 1).integers(0, 7, size=math.ceil(frames / 20)).repeat(20)[:frames]
        videos.append((draw(seed, 1, 32, frames), torch.from_numpy(labels)))
    np.testing.assert_array_equal(videos[0][1], golden["target"])

    loss = segmentation_loss(model(videos[0][0]), videos[0][1], smoothing=0.15)
    loss.backward()
    assert loss.item() == pytest.approx(float(golden["loss"]), rel=1e-5)
    gradients = {name: p.new_zeros(p.shape) if p.grad is None else p.grad for name, p in model.named_parameters()}
    norms = np.array([gradients[name].norm().item() for name in golden["grad_names"]])
    small = golden["grad_norms"] < 1e-6 * golden["grad_norms"].max()
    np.testing.assert_allclose(norms[~small], golden["grad_norms"][~small], rtol=1e-4)
    np.testing.assert_allclose(norms[small], golden["grad_norms"][small], atol=1e-6 * golden["grad_norms"].max())
    for key in (key for key in golden.files if key.startswith("grad50/")):
        tolerance = 1e-8 + 2e-5 * np.abs(golden[key]).max()
        ours = gradients[key.removeprefix("grad50/")].flatten()[: len(golden[key])]
        np.testing.assert_allclose(ours, golden[key], rtol=0, atol=tolerance)

    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, weight_decay=1e-5)
    for expected in golden["epoch_losses"]:
        total = 0.0
        for features, target in videos:
            optimizer.zero_grad()
            loss = segmentation_loss(model(features), target, smoothing=0.15)
            loss.backward()
            optimizer.step()
            total += loss.item()
        assert total == pytest.approx(expected, rel=1e-5)


def plain_loss(logits: np.ndarray, target: np.ndarray, smoothing: float) -> float:
    """Equation by equation, frame by frame."""
    total = 0.0
    for stage in logits[:, 0]:
        log_p = stage - np.log(np.exp(stage).sum(axis=0))
        classes, frames = log_p.shape
        entropy = -np.mean([log_p[target[t], t] for t in range(frames)])
        squares = [min((log_p[k, t] - log_p[k, t - 1]) ** 2, 16.0) for t in range(1, frames) for k in range(classes)]
        total += entropy + smoothing * np.mean(squares)
    return total


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), stages=st.integers(1, 4), classes=st.integers(2, 6), frames=st.integers(2, 20))
def test_loss_is_the_sum_over_frames(seed, stages, classes, frames):
    rng = np.random.default_rng(seed)
    logits, target = 4 * rng.standard_normal((stages, 1, classes, frames)), rng.integers(0, classes, frames)
    loss = segmentation_loss(torch.from_numpy(logits), torch.from_numpy(target), 0.25)
    assert loss.item() == pytest.approx(plain_loss(logits, target, 0.25), rel=1e-9)


def test_parameter_names_and_sizes_are_the_published_codes():
    model = ASFormer(2048, 19)
    assert sum(p.numel() for p in model.parameters()) == 1_134_476
    assert len(model.state_dict()) == 496
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert shapes["encoder.conv_1x1.weight"] == (64, 2048, 1)
    assert shapes["decoders.2.layers.9.feed_forward.layer.0.weight"] == (64, 64, 3)
    assert shapes["decoders.0.layers.3.att_layer.query_conv.weight"] == (32, 64, 1)
    small = ASFormer(32, 7, num_layers=4, num_maps=16)
    assert list(small.state_dict()) == np.load(GOLDEN / "asformer_train.npz")["grad_names"].tolist()


@settings(max_examples=25)
@given(
    frames=st.integers(2, 150),
    layers=st.integers(1, 7),
    decoders=st.integers(0, 2),
    band=st.sampled_from(["published", "thesis"]),
    seed=st.integers(0, 2**31),
)
def test_outputs_and_gradients_are_the_plain_references(frames, layers, decoders, band, seed):
    torch.manual_seed(seed)
    plain = ReferenceASFormer(5, 4, layers, 8, decoders, band=band).double().eval()
    ours = ASFormer(5, 4, layers, 8, decoders, attention_band=band).double().eval()
    ours.load_state_dict(plain.state_dict(), strict=True)
    x = torch.randn(1, 5, frames, dtype=torch.float64)
    direction = torch.randn(1 + decoders, 1, 4, frames, dtype=torch.float64)
    outputs = [model(x) for model in (ours, plain)]
    for output in outputs:
        (output * direction).sum().backward()
    torch.testing.assert_close(*outputs, rtol=1e-9, atol=1e-9)
    for (name, p), q in zip(ours.named_parameters(), plain.parameters(), strict=True):
        gradient = p.new_zeros(p.shape) if p.grad is None else p.grad
        torch.testing.assert_close(gradient, q.grad, rtol=1e-7, atol=1e-9, msg=name)


def visible(frames: int, block: int, band: str) -> np.ndarray:
    """(T, T): does the output of a frame depend on the value of another?"""
    value = torch.zeros(frames, 2, requires_grad=True)
    query, key = torch.randn(frames, 2), torch.randn(frames, 2)
    out = window_attention(query, key, value, attention_mask(frames, block, band, query))
    rows = [torch.autograd.grad(out[t].sum(), value, retain_graph=True)[0].abs().sum(1) for t in range(frames)]
    return torch.stack(rows).numpy() > 0


@pytest.mark.parametrize(("frames", "block"), [(24, 4), (23, 8), (5, 16), (9, 2)])
def test_the_band_is_a_band(frames, block):
    offset = np.arange(frames)[None] - np.arange(frames)[:, None]
    np.testing.assert_array_equal(visible(frames, block, "thesis"), (offset >= -block // 2) & (offset < block // 2))


def test_dropout_halves_and_doubles():
    torch.manual_seed(0)
    x, change = torch.randn(2001, 33), torch.randn(2001, 33)
    dropped = add_dropped(x, change, training=True) - x
    kept = dropped.abs() > 1e-6
    torch.testing.assert_close(dropped[kept], 2 * change[kept], rtol=1e-4, atol=1e-5)
    assert kept.float().mean() == pytest.approx(0.5, abs=0.01)
    assert (kept[1:] == kept[:-1]).float().mean() == pytest.approx(0.5, abs=0.01)  # frames are independent
    torch.testing.assert_close(add_dropped(x, change, training=False), x + change)


def test_channel_mask_hides_whole_channels():
    torch.manual_seed(0)
    model = ASFormer(400, 3, num_layers=2, num_maps=8, num_decoders=0, channel_mask=0.3)
    model(torch.randn(1, 400, 20)).sum().backward()
    hidden = (model.encoder.conv_1x1.weight.grad == 0).all(dim=0).float().mean()
    assert hidden == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize("band", ["published", "thesis"])
def test_half_precision_changes_outputs_and_gradients_by_rounding_only(band):
    torch.manual_seed(0)
    exact, half = (ASFormer(32, 5, 5, 16, 1, 0, band, dtype).eval() for dtype in (torch.float32, torch.bfloat16))
    half.load_state_dict(exact.state_dict())
    x, target = torch.randn(1, 32, 150), torch.randint(5, (150,))
    outputs = [model(x) for model in (exact, half)]
    for output in outputs:
        assert output.dtype == torch.float32, "the loss is computed in full precision"
        segmentation_loss(output, target, 0.15).backward()
    # bfloat16 has 8 bits
    torch.testing.assert_close(outputs[1], outputs[0], rtol=0.05, atol=0.05)
    one, other = (torch.cat([p.grad.flatten() for p in m.parameters() if p.grad is not None]) for m in (exact, half))
    assert (other - one).norm() < 0.05 * one.norm()


@pytest.mark.parametrize("shape", [(2, 5, 10), (5, 10)])
def test_more_than_one_video_is_refused(shape):
    with pytest.raises(ValueError, match="one video at a time"):
        ASFormer(5, 3, 2, 8)(torch.zeros(shape))
