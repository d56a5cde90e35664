"""VideoCLIP and its checkpoints against the published code's outputs and names (tests/golden)."""

import argparse
import io
import json
import math
import os
import re
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
import torch
from golden_weights import GOLDEN, cases, check, check_loss, draw, filled
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from transformers import BertConfig

from lib.core.checkpoints import WeightsError, read_weights
from lib.videoclip.model import FeatureMLP, VideoCLIP, contrastive_loss, from_mmpt

KEYS = json.loads((GOLDEN / "videoclip_keys.json").read_text())
PREFIX = "mmmodel."  # of names in a published checkpoint
HIDDEN, INPUT, LONGEST = 48, 20, 12
LAYERS = {"video_encoder": 2, "text_encoder": 3}
CONFIG = BertConfig(
    hidden_size=HIDDEN, num_attention_heads=4, num_hidden_layers=LAYERS["text_encoder"], vocab_size=200,
    intermediate_size=96, max_position_embeddings=64,
)  # fmt: skip


def small(input_dim: int = INPUT, num_classes: int | None = None) -> VideoCLIP:
    """A model of the golden files' size, its weights drawn."""
    torch.manual_seed(0)
    return VideoCLIP(CONFIG, LAYERS["video_encoder"], input_dim, LONGEST, num_classes).eval()


def checkpoint(scale: float, input_dim: int = INPUT, head: bool = False) -> dict[str, Tensor]:
    """The published entries, poolers and position numbers among them, in the golden files' size and by their rule."""
    sizes = {768: HIDDEN, 3072: CONFIG.intermediate_size, 30522: CONFIG.vocab_size}
    state = {}
    for name, shape, dtype in KEYS["keys"] + (KEYS["finetuned_extra"] if head else []):
        layer = re.search(r"layer\.(\d+)", name)
        if layer and int(layer[1]) >= LAYERS[name.split(".")[0]]:
            continue
        other = input_dim if "videomlp" in name else CONFIG.max_position_embeddings  # the two that are 512
        shape = [other if size == 512 else sizes.get(size, size) for size in shape]
        value = torch.arange(shape[-1])[None] if "position_ids" in name else torch.zeros(shape)
        state[PREFIX + name] = value.to(getattr(torch, dtype.removeprefix("torch.")))
    return filled(state, scale, PREFIX)


def load(state: dict[str, Tensor], input_dim: int = INPUT, num_classes: int | None = None) -> VideoCLIP:
    model = small(input_dim, num_classes)
    model.load_mmpt(state)
    return model


def features_of(golden, input_dim: int) -> tuple[Tensor, Tensor]:
    mask = torch.from_numpy(golden["vmasks"])
    features = draw(int(golden["seed"]), *mask.shape, input_dim)
    np.testing.assert_array_equal(features.flatten()[:8], golden["x_head"])
    return features * mask[..., None], mask


@pytest.fixture(scope="module")
def model() -> VideoCLIP:
    return load(checkpoint(0.2))


@pytest.mark.parametrize(("file", "input_dim"), [("d20", 20), ("d20_s2", 20), ("d20_short_s2", 20), ("d512_s2", 512)])
@torch.inference_mode()
def test_outputs_are_the_published_codes(file, input_dim):
    golden = np.load(GOLDEN / f"videoclip_{file}.npz")
    state = checkpoint(float(golden["scale"]), input_dim)
    np.testing.assert_allclose(check(state), golden["param_check"], rtol=1e-7)
    model = load(state, input_dim)
    features, mask = features_of(golden, input_dim)
    but_the_second = [0, *range(2, golden["caps"].shape[1])]  # theirs is [CLS] [SEP] words [SEP] for both towers
    words, there = (torch.from_numpy(golden[name][:, but_the_second]) for name in ("caps", "cmasks"))
    pooled = {
        "pooled_video": model.encode_video(features, mask),
        "pooled_video_cls_hidden": model.encode_video(features, mask, cls_visible=False),
        "pooled_text": model.encode_text(words, there),
    }
    for name, ours in pooled.items():
        np.testing.assert_allclose(ours, golden[name], rtol=0, atol=1e-5, err_msg=name)
    for name, visible in (("hidden_video_cls_visible", True), ("hidden_video_cls_hidden", False)):
        states = model.video_states(features, mask, visible)
        np.testing.assert_allclose(states, golden[name][:, 1:-1], rtol=0, atol=2e-5, err_msg=name)
    states = model.text(input_ids=words, attention_mask=there.long()).last_hidden_state
    np.testing.assert_allclose(states, golden["hidden_text"], rtol=0, atol=2e-5)


@torch.inference_mode()
def test_class_scores_of_a_fine_tuned_model_are_the_published_codes():
    golden = np.load(GOLDEN / "videoclip_head.npz")
    model = load(checkpoint(float(golden["scale"]), head=True), num_classes=779)
    logits = model.frame_logits(*features_of(golden, INPUT), cls_visible=False)
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=5e-5)


def test_the_mlp_starts_as_published():
    torch.manual_seed(0)
    mlp = FeatureMLP(512, 768)
    for linear in (mlp.linear1, mlp.linear2):
        assert linear.weight.std().item() == pytest.approx(0.02, rel=0.01)
        assert linear.weight.mean().item() == pytest.approx(0, abs=2e-4)
        assert not linear.bias.any()
    outputs = mlp(F.normalize(torch.randn(500, 512)))
    assert outputs.mean(dim=0).square().sum() < 0.03 * outputs.square().sum(dim=1).mean()


@pytest.mark.parametrize("head", [False, True])
def test_the_full_size_checkpoint_fits(head):
    """By names and shapes alone: on torch's meta device nothing has values."""
    keys = KEYS["keys"] + (KEYS["finetuned_extra"] if head else [])
    with torch.device("meta"):
        model = VideoCLIP(BertConfig(), 6, 512, num_classes=779 if head else None)
        state = {PREFIX + name: torch.empty(shape, dtype=getattr(torch, dtype[6:])) for name, shape, dtype in keys}
    model.load_mmpt(state)
    unused = sum(math.prod(shape) for name, shape, _ in KEYS["keys"] if "pooler" in name)
    extra = sum(math.prod(shape) for _, shape, _ in KEYS["finetuned_extra"]) if head else 0
    assert sum(p.numel() for p in model.parameters()) == KEYS["n_params"] - unused + extra


def without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(PREFIX): value for name, value in state.items()}


def test_names_without_prefix_and_half_precision_are_taken_too(model):
    state = without_prefix(checkpoint(0.2))
    whole = load(state).state_dict()
    assert all(torch.equal(value, whole[name]) for name, value in model.state_dict().items())
    halves = from_mmpt({name: value.half() if value.is_floating_point() else value for name, value in state.items()})
    for name, value in halves.items():
        assert value.dtype == torch.float32
        assert torch.equal(value, whole[name].half().float())


def faults():
    plain, head = checkpoint(0.2), checkpoint(0.2, head=True)
    fewer = {name: value for name, value in plain.items() if "text_encoder.encoder.layer.2." not in name}
    deeper = plain | {f"{PREFIX}text_encoder.encoder.layer.3.output.dense.bias": torch.zeros(HIDDEN)}
    return {
        "another head": (head, 5, r"'head.bias': this model has \(5,\), the checkpoint \(779,\)"),
        "no place for a head": (head, None, r"'head.bias': this model has none, the checkpoint \(779,\)"),
        "no head": (plain, 5, r"'head.bias': this model has \(5,\), the checkpoint none"),
        "a layer less": (fewer, None, r"'text.encoder.layer.2.\S+': this model has \(\d+.*the checkpoint none"),
        "a layer more": (deeper, None, r"'text.encoder.layer.3.\S+': this model has none, the checkpoint \(48,\)"),
        "other features": (checkpoint(0.2, 24), None, r"'mlp.linear1.weight': this model has \(48, 20\).*\(48, 24\)"),
        "a foreign key": (plain | {"mmmodel.decoder.bias": torch.zeros(1)}, None, "'mmmodel.decoder.bias' is not a"),
        "the whole file": ({"args": None, "model": plain}, None, "'args' is not a weight of VideoCLIP.*entry `model`"),
    }


@pytest.mark.parametrize("fault", faults())
def test_a_checkpoint_that_does_not_fit_is_named_in_a_line(fault):
    state, num_classes, message = faults()[fault]
    model = small(num_classes=num_classes)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(WeightsError, match=message) as error:
        model.load_mmpt(state)
    assert "\n" not in str(error.value)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, LONGEST), min_size=1, max_size=5), visible=st.booleans(), seed=st.integers(0, 99)
)
@torch.inference_mode()
def test_a_clip_has_the_same_vector_alone_and_padded(model, lengths, visible, seed):
    features = draw(seed, len(lengths), max(lengths), INPUT)  # whatever stands on the padding
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    together = model.encode_video(features, mask, visible)
    states = model.video_states(features, mask, visible)
    for clip, length in enumerate(lengths):
        alone = features[clip : clip + 1, :length], torch.ones(1, length, dtype=torch.bool), visible
        torch.testing.assert_close(together[clip : clip + 1], model.encode_video(*alone), rtol=0, atol=1e-5)
        torch.testing.assert_close(states[clip : clip + 1, :length], model.video_states(*alone), rtol=0, atol=2e-5)


@settings(max_examples=25)
@given(lengths=st.lists(st.integers(2, 40), min_size=1, max_size=5), seed=st.integers(0, 99))
@torch.inference_mode()
def test_a_caption_has_the_same_vector_alone_and_padded(model, lengths, seed):
    ids = torch.from_numpy(np.random.default_rng(seed).integers(0, 200, (len(lengths), max(lengths))))
    together = model.encode_text(ids, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])
    for caption, length in enumerate(lengths):
        alone = model.encode_text(ids[caption : caption + 1, :length], torch.ones(1, length))
        torch.testing.assert_close(together[caption : caption + 1], alone, rtol=0, atol=1e-5)


REFUSED = [((2, 5, 21), (2, 5)), ((2, 13, INPUT), (2, 13)), ((2, 0, INPUT), (2, 0)), ((2, 5, INPUT), (2, 6))]


@pytest.mark.parametrize(("features", "mask"), REFUSED)
def test_clips_that_do_not_fit_are_refused(model, features, mask):
    expected = f"expected features (B, 1 … 12, 20) and a mask (B, T); got {features} and {mask}"
    with pytest.raises(ValueError, match=re.escape(expected)):
        model.encode_video(torch.zeros(features), torch.ones(mask))


def test_models_that_cannot_be_are_refused(model):
    with pytest.raises(ValueError, match="clips of 63 s do not fit into 64 positions"):
        VideoCLIP(CONFIG, 2, INPUT, max_video_len=63)
    longest = VideoCLIP(CONFIG, 2, INPUT, max_video_len=62).eval()
    assert longest.encode_video(torch.zeros(1, 62, INPUT), torch.ones(1, 62)).shape == (1, HIDDEN)
    with pytest.raises(ValueError, match="no head; build it with num_classes"):
        model.frame_logits(torch.zeros(1, 3, INPUT), torch.ones(1, 3))


CONTRASTIVE = cases("videoclip_contrastive.npz")


@pytest.mark.parametrize("case", CONTRASTIVE)
def test_the_loss_is_the_published_codes(case):
    check_loss(contrastive_loss, CONTRASTIVE[case], atol=5e-6)


@settings(max_examples=30)
@given(pairs=st.integers(1, 8), seed=st.integers(0, 2**31))
def test_the_loss_is_equation_5_written_out(pairs, seed):
    rng = np.random.default_rng(seed)
    video, text = rng.standard_normal((2, pairs, 4))
    temperature = float(rng.uniform(0.5, 2))
    scores = np.exp(video @ text.T / temperature)
    expected = -np.mean([math.log(scores[i, i] ** 2 / scores[i].sum() / scores[:, i].sum()) for i in range(pairs)])
    loss = contrastive_loss(torch.from_numpy(video), torch.from_numpy(text), temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-9)


def test_a_checkpoint_of_fairseq_is_read(model, tmp_path):
    path = tmp_path / "checkpoint_best.pt"
    arguments = argparse.Namespace(arch="mmarch", lr=[5e-5], fp16=True, user_dir=None)
    history = [{"optimizer_name": "FP16Optimizer", "num_updates": 275000}]
    content = {"args": arguments, "model": checkpoint(0.2), "optimizer_history": history, "extra_state": {"epoch": 8}}
    torch.save(content, path)
    state = load(read_weights(path, "model", "fetch it")).state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert argparse.Namespace not in torch.serialization.get_safe_globals()  # allowed for that moment only


class Harm:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("wrap", [lambda harm: harm, lambda harm: argparse.Namespace(lr=harm)])
def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, wrap):
    path, harmed = tmp_path / "evil.pt", tmp_path / "harmed"
    torch.save({"args": wrap(Harm(harmed)), "model": {}}, path)
    with pytest.raises(WeightsError, match=r"evil.pt: weights cannot be read .* get the file again") as error:
        read_weights(path, "model", "fetch it")
    assert "\n" not in str(error.value)
    assert not harmed.exists()
    torch.load(path, weights_only=False)
    assert harmed.exists()  # so it was the reader that kept it out


def old_format() -> bytes:
    """As torch saved before 1.6."""
    file = io.BytesIO()
    torch.save({"model": {"a": torch.zeros(1000)}}, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.mark.parametrize("entry", [None, "model"])
@pytest.mark.parametrize("content", [3, None, torch.zeros(2), [1], {"model": 5}, {"model": {"a": 1}}])
def test_checkpoints_of_other_things(tmp_path, content, entry):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"other.pt: expected (names with their weights|a checkpoint with the key)"):
        read_weights(tmp_path / "other.pt", entry, "fetch it there")


def test_harmless_values_beside_the_weights_do_not_stop_a_load(tmp_path):
    weights = {"a": torch.arange(3.0)}
    beside = {
        "scalar": np.float64(0.5), "integer": np.int64(3), "array": np.arange(4.0), "names": np.array(["cut", "mix"]),
        "random": np.random.default_rng(0).bit_generator.state, "options": argparse.Namespace(lr=[1e-4], out=Path("x")),
        "path": Path("/data/x"), "windows": PureWindowsPath("C:/x"), "ordered": OrderedDict(a=1), "counts": Counter(),
        "lists": defaultdict(list, a=[1]), "last": deque([1, 2], maxlen=3), "set": {1, 2}, "frozen": frozenset({1}),
        "slice": slice(1, 2), "size": torch.Size([1, 2]), "dtype": torch.float16, "bytes": b"x", "complex": 1j,
    }  # fmt: skip
    torch.save({"model": weights, **beside}, tmp_path / "a.pt")
    assert torch.equal(read_weights(tmp_path / "a.pt", "model", "fetch it")["a"], weights["a"])


@pytest.mark.parametrize("prefix", ["module.", "model.", "module.model.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_removed(tmp_path, prefix):
    weights = {"fc.weight": torch.ones(2), "model_dim.bias": torch.ones(1)}
    torch.save({prefix + name: value for name, value in weights.items()}, tmp_path / "a.pt")
    assert read_weights(tmp_path / "a.pt", None, "fetch it").keys() == weights.keys()
    torch.save(weights | {f"{prefix}other": torch.ones(1)}, tmp_path / "b.pt")
    assert f"{prefix}other" in read_weights(tmp_path / "b.pt", None, "fetch it"), "a prefix of some is a name"


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.tensor([0.0, math.nan]), "weight 'a' has NaN or infinite values"),
        (torch.tensor([math.inf]), "weight 'a' has NaN or infinite values"),
        (torch.zeros(2, dtype=torch.int8), "weight 'a' is torch.int8; expected floating-point"),
        (torch.zeros(2, dtype=torch.complex64), "weight 'a' is torch.complex64; expected floating-point"),
    ],
)
def test_weights_that_cannot_be_used(tmp_path, weight, message):
    torch.save({"a": weight}, tmp_path / "a.pt")
    with pytest.raises(WeightsError, match=message):
        read_weights(tmp_path / "a.pt", None, "fetch it")


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_changed_byte_is_an_error_of_one_line_or_harmless(tmp_path, place):
    content = bytearray(old_format())
    content[place] ^= 0xFF
    (tmp_path / "a.pt").write_bytes(content)
    said = ""
    try:
        assert all(value.isfinite().all() for value in read_weights(tmp_path / "a.pt", "model", "fetch it").values())
    except WeightsError as error:
        said = str(error)
    assert "\n" not in said and said.startswith(f"{tmp_path}/a.pt: " if said else "")


def test_files_that_hold_no_weights(tmp_path):
    whole = tmp_path / "whole.pt"
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, whole)
    pages = {"page.pt": b"<html>404</html>", "page.safetensors": b"\n<!DOCTYPE html><html>"}
    pointer = {"lfs.pth": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"}
    damaged = {"empty.safetensors": b"", "part.pt": whole.read_bytes()[:2000], "empty.pth": b"", "text.pt": b"\xff\xfe"}
    damaged |= {"old.pth": old_format()[:100], "older.pth": old_format()[:30], "odd.safetensors": b"\xff" * 64}
    for name, content in {**pages, **pointer, **damaged}.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "fifo.pt")
    cases = {name: "this is a web page, not weights; fetch it there" for name in pages}
    cases |= {name: "this is a Git LFS pointer .* not weights; fetch it there" for name in pointer}
    cases |= {name: f"{name}: (weights cannot be read|expected)" for name in damaged}
    absent = ("missing.pt", "none.safetensors", "fifo.pt")
    cases |= {name: "no such file of weights; fetch it there" for name in absent}
    cases["whole.pt"] = "expected a checkpoint with the key 'model', found the keys state_dict"
    for name, message in cases.items():
        with pytest.raises(WeightsError, match=message) as error:
            read_weights(tmp_path / name, "model", "fetch it there")
        assert "\n" not in str(error.value)
