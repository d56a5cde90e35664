"""Whatever is computed from weights and inputs on a device lies on that device: nets of full size, without a GPU.

On the device "meta" a tensor has a shape and no values. What only a GPU can show (its kernels, memory, speed, bfloat16,
NCCL) is listed in notebooks/guides/clusters.md.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from narrated_data import DIM, minilm_tokenizer, packed_videos
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import BertConfig

from lib.asformer.training import build_asformer, segmentation_loss
from lib.backbones.i3d import I3DResNet, for_inference
from lib.backbones.s3d import S3D, mil_nce_loss
from lib.core import training
from lib.core.checkpoints import Learner
from lib.core.devices import Group
from lib.core.params import load
from lib.pretraining.loop import Pretraining, Update
from lib.pretraining.pairs import ClusterBatches
from lib.videoclip.finetuning import Names, dense_scores, learner_model
from lib.videoclip.model import VideoCLIP

META = torch.device("meta")
PARAMS = load("params/50salads.yaml")


class NothingOnTheCpu(TorchDispatchMode):
    """Refuses operations whose result lies on the CPU; a number that is read from the device is 1."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            return 1.0
        result = func(*args, **kwargs or {})
        # torch itself keeps single numbers there
        off = [one for one in tree_leaves(result) if isinstance(one, torch.Tensor) and one.ndim and one.is_cpu]
        assert not off, f"{func} makes a tensor {tuple(off[0].shape)} on the CPU"
        return result


@pytest.fixture(autouse=True)
def no_autocast(monkeypatch):
    """The device has none, and float32 needs none."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


def built(build: Callable[..., nn.Module], *arguments: Any) -> Any:
    with META:
        return build(*arguments).train()


def step(model: nn.Module, losses, clip: float | None = None) -> None:
    """A training step of the trainer.

    Args:
        losses: as `lib.core.training.fit` takes them, of one example.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    learner = Learner(model, torch.optim.Adam(trained), clip=clip, group=Group(0, 1, META))
    with NothingOnTheCpu():
        training._step(learner, losses, {"loss": 0.0})
    # ASFormer's first layers see one frame, so that their queries and keys have no effect
    learnt = [parameter for parameter in trained if parameter.grad is not None]
    assert len(learnt) > 0.9 * len(trained) and all(learner.optimizer.state[parameter] for parameter in learnt)


def test_what_goes_astray_is_noticed():
    there = torch.ones(3, device=META)
    with NothingOnTheCpu():
        assert (there + 1).sum().item() == 1
        with pytest.raises(AssertionError, match=r"aten.eye.default makes a tensor \(3, 3\) on the CPU"):
            torch.eye(3).to(META)


def test_a_training_step_of_asformer():
    model = built(build_asformer, 2048, 19, PARAMS.asformer, 0)
    features, target = torch.rand(1, 2048, 1001, device=META), torch.zeros(1001, dtype=torch.int64, device=META)
    step(model, ((segmentation_loss(model(video), target, 0.15), {}) for video in [features]))


def test_an_update_of_the_pre_training(tmp_path):
    narrated, settings = packed_videos(tmp_path, minilm_tokenizer()), PARAMS.pretrain
    settings = settings.model_copy(update={"dtype": "float32"})
    batches = ClusterBatches(narrated, [[0, 7, 3], [4, 19, 2]], settings.pairs, seed=0, epoch=1)
    model, group = built(VideoCLIP, BertConfig(), 6, DIM), Group(0, 1, META)
    recipe = settings.recipes["own"]
    how = {"identity": "", "seed": 0, "transfer": lambda _model: {}, "agree": lambda: None}
    run = Pretraining(narrated, narrated, model, recipe, settings, tmp_path, group, **how)
    step(model, run.losses(Update(1, iter([batches[0], batches[1]]))), settings.clip)


@pytest.mark.parametrize("objective", ["head", "contrastive"])
def test_a_training_step_on_dense_scores(objective):
    settings = PARAMS.finetune.model_copy(update={"objective": objective})
    model = built(learner_model, built(VideoCLIP, BertConfig(), 6, 512), settings, 19, 0)
    windows, mask = torch.rand(4, 32, 512, device=META), torch.ones(4, 32, dtype=torch.bool, device=META)
    ids, truth = torch.ones(2, 19, 7, dtype=torch.int64, device=META), torch.zeros(128, dtype=torch.int64, device=META)
    names = Names(*ids)

    def losses():
        yield cross_entropy(dense_scores(model, windows, mask, names, settings).flatten(0, 1), truth), {}

    step(model, losses())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_of_i3d(dtype):
    net = for_inference(built(I3DResNet), dtype)
    with torch.inference_mode(), NothingOnTheCpu():
        features = net(torch.zeros(1, 3, 21, 256, 256, device=META, dtype=dtype))
    assert features.shape == (1, 2048) and features.is_meta


def test_a_training_step_of_i3d():
    net = built(I3DResNet)
    clips, classes = torch.rand(2, 3, 12, 128, 128, device=META), torch.zeros(2, dtype=torch.int64, device=META)
    step(net, ((cross_entropy(net.logits(clip), classes), {}) for clip in [clips]))


def test_a_training_step_of_s3d():
    net = built(S3D)
    clips, words = torch.rand(2, 3, 16, 224, 224, device=META), torch.zeros(6, 16, dtype=torch.int64, device=META)
    step(net, ((mil_nce_loss(net(clip)[0], net.text_module(words)), {}) for clip in [clips]))
