"""Pre-training: the gradient of C clusters on any number of processes, exact resumption, kinds of negatives, errors."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from narrated_data import packed_videos, tiny_videoclip
from resume import contents, kill_once
from safetensors.torch import load_file

from lib.backbones.s3d_features import narrated_set
from lib.core.command import one_line
from lib.core.devices import Group, join_group, single_process
from lib.core.files import write_text
from lib.core.params import load
from lib.core.paths import ROOT, Outputs
from lib.core.processes import only_one
from lib.core.training import TrainingError
from lib.data.packs import open_packed
from lib.data.profile import open_profile
from lib.pretrain import main
from lib.pretraining import loop
from lib.pretraining.loop import Pretraining
from lib.pretraining.pairs import ClusterBatches
from lib.pretraining.recipes import same_packs, same_run
from lib.videoclip.model import VideoCLIP, contrastive_loss

SETTINGS = load("params/smoke.yaml").pretrain.model_copy(
    update={"validations": 2, "videos_per_cluster": 3, "dtype": "float32", "warmup": 2, "learning_rate": 1e-3}
)
RECIPE = SETTINGS.recipes["own"].model_copy(update={"clusters_per_update": 3, "epochs": 2})


def make(packed: Path, folder: Path, group: Group | None = None, dropout: float = 0.0, **changes) -> Pretraining:
    narrated, settings = open_packed(packed), SETTINGS.model_copy(update=changes)
    group = group or single_process()
    how: dict = {"identity": "a", "seed": 5, "transfer": lambda _model: {}, "agree": lambda: None}
    return Pretraining(narrated, narrated, tiny_videoclip(dropout=dropout), RECIPE, settings, folder, group, **how)


def train(packed: str, folder: str, dropout: float = 0.0) -> None:
    """What the processes of the tests run."""
    make(Path(packed), Path(folder), join_group(), dropout).run()


@pytest.fixture(scope="module")
def packed(tmp_path_factory, tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("narrated")
    packed_videos(folder, tokenizer)
    return folder / "packed"


@pytest.fixture(scope="module")
def whole(packed, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    train(str(packed), str(folder))
    return folder


def command(launcher: list[str], packed: Path, folder: Path, dropout: float = 0.0, call: str = "train") -> list[str]:
    code = folder.with_name(f"{folder.name}.py")
    code.write_text(
        f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}\n"
        f"from test_pretrain import {call}\n{call}({str(packed)!r}, {str(folder)!r}, {dropout})\n"
    )
    return [sys.executable, *launcher, str(code)]


@pytest.fixture(scope="module")
def undisturbed(packed, tmp_path_factory) -> Path:
    """A finished run with dropout."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train(str(packed), str(folder), dropout=0.1)
    return folder


def gradients(model: VideoCLIP) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_c_clusters_on_one_device_are_the_mean_of_c_devices(packed):
    """What eight GPUs with a cluster each add up, and one device takes one after the other."""
    run = make(packed, Path())
    batches = ClusterBatches(run.train, [[3 * n, 3 * n + 1, 3 * n + 2] for n in range(8)], SETTINGS.pairs, 1, 1)
    apart = []
    for number in range(8):
        run.model = tiny_videoclip()
        run.loss(batches[number]).backward()
        apart.append(gradients(run.model))
    run.model = model = tiny_videoclip()
    for number in range(8):
        (run.loss(batches[number]) / 8).backward()
    torch.testing.assert_close(gradients(model), torch.stack(apart).mean(dim=0), rtol=1e-5, atol=1e-6)
    joint = tiny_videoclip()
    vectors = [batch.encode(joint) for batch in (batches[number] for number in range(8))]
    contrastive_loss(*(torch.cat(part) for part in zip(*vectors, strict=True))).backward()
    assert (gradients(joint) - gradients(model)).abs().max() > 1e-3, "one softmax over all clusters is another gradient"


PACKS = {"sees other packs than process 0": "other", "sees no pack in": None}  # fault -> what process 1 sees for "one"
STARTS = {
    "has other settings or code than process 0": lambda run, rank: setattr(run, "identity", str(rank)),
    "starts from other weights than process 0": lambda run, rank: run.model.mlp.linear1.bias.data.add_(rank),
    "sees another state of the run than process 0": lambda run, rank: setattr(run, "folder", run.folder / str(rank)),
}


def work_together(packed: str, place: str, dropout: float) -> None:
    """What two processes do in a row: they are refused all that differs between them, train, and lose one of them."""
    group, folder, profile = join_group(), Path(place), open_profile("params/smoke.yaml")
    for number, note in enumerate(PACKS.values()):
        seen, out = "one" if group.rank == 0 else note, Outputs(str(folder / f"packs_{number}_{group.rank}"))
        for part in ("train", "val") if seen else ():
            write_text(out.packed / narrated_set(profile.params, "mixed_5c") / part / "note.json", seen)
        assert one_line(same_packs)(replace(profile, out=out), "mixed_5c", group) == 2
    for change in STARTS.values():
        run = make(Path(packed), folder, group)
        change(run, group.rank)
        assert one_line(same_run)(run) == 2
    make(Path(packed), folder / "two", group, dropout).run()
    run, calls = make(Path(packed), folder / "died", group), []

    def die():
        calls.append(1)
        if group.rank == 1 and len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    run.agree = die
    run.run()


@pytest.fixture(scope="module")
def together(packed, whole, tmp_path_factory) -> tuple[Path, str]:
    """Where two processes worked together, a finished run being there for one of them, and what they said."""
    folder = tmp_path_factory.mktemp("together")
    shutil.copytree(whole, folder / "0")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    started = command(torchrun, packed, folder, dropout=0.1, call="work_together")
    done = subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode and "SIGKILL" in done.stderr, done.stderr
    return folder, done.stderr


def test_two_processes_do_what_one_does(undisturbed, together):
    """Three clusters per update on two processes, with dropout: one takes two of them, the other one."""
    folder = together[0] / "two"
    ours, theirs = load_file(undisturbed / "weights.safetensors"), load_file(folder / "weights.safetensors")
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(theirs[name], ours[name], rtol=0, atol=2e-6, msg=name)
    for epoch in (1, 2):
        kept = [json.loads((path / f"clusters_{epoch}.json").read_text()) for path in (undisturbed, folder)]
        assert kept[0]["clusters"] == kept[1]["clusters"]


@pytest.mark.parametrize("fault", [*PACKS, *STARTS])
def test_processes_that_differ_do_not_train(together, fault):
    """As on nodes that do not share a disk; each says so, perhaps on the same line."""
    assert together[1].count("error: ") == 2 * len([*PACKS, *STARTS])
    assert together[1].count(f"error: process 1 on {socket.gethostname()} {fault}") == 2


def test_a_killed_process_ends_the_others(together):
    assert {file.name for file in (together[0] / "died").glob("*.safetensors")} == {"checkpoint.safetensors"}


def test_a_second_start_waits_for_the_first(tmp_path):
    """Such as that of a requeued job, while its lost node still trains."""
    profile = tmp_path / f"waits_{os.getpid()}.yaml"
    shutil.copy(ROOT / "params" / "smoke.yaml", profile)
    lock = Outputs(profile.stem).root.with_name(f".{profile.stem}_own.lock")
    second = [sys.executable, "-m", "lib.pretrain", "--params", str(profile)]
    try:
        with only_one(lock), subprocess.Popen(second, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            process.kill()
        assert said == f"waits for process {os.getpid()} on {socket.gethostname()}, which makes the same\n"
    finally:
        lock.unlink()
    assert not Outputs(profile.stem).root.exists()


def test_killed_at_any_moment_it_ends_with_the_same_bytes(packed, undisturbed, tmp_path):
    killed = tmp_path / "killed"
    code = Path(command([], packed, killed, dropout=0.1)[-1]).read_text()
    for marker in ("checkpoint.safetensors", "clusters_2.json"):
        kill_once(killed / marker, code)
    train(str(packed), str(killed), dropout=0.1)
    assert contents(killed) == contents(undisturbed)


def test_a_finished_run_is_read_not_trained(packed, whole, monkeypatch):
    monkeypatch.setattr(loop.clusters, "represent", lambda *_: pytest.fail("mined again"))
    run = make(packed, whole)
    history = run.run()
    assert history["update"].tolist() == sorted(history["update"]) and history["epoch"].iloc[-1] == 2
    assert torch.equal(run.model.mlp.linear1.weight, load_file(whole / "weights.safetensors")["mlp.linear1.weight"])


def test_the_loss_is_taken_several_times_an_epoch(packed, whole):
    history = make(packed, whole).run()
    assert SETTINGS.validations == 2 and history["epoch"].tolist() == [0, 0.5, 1.0, 1.5, 2.0]
    pairs = RECIPE.clusters_per_update * SETTINGS.videos_per_cluster * SETTINGS.pairs.per_video
    assert (history["pairs"] == history["update"] * pairs).all()
    untrained, trained = history.iloc[0], history.iloc[1:]
    assert untrained["random_loss"] > 0 and np.isnan(untrained["train_loss"])
    assert np.isfinite(trained.to_numpy()).all()
    assert trained["learning_rate"].tolist() == pytest.approx([5e-4, 1e-3, 1e-3, 1e-3], rel=1e-4)


def sets(found: dict) -> list[tuple[int, ...]]:
    return sorted(tuple(sorted(cluster)) for cluster in found["clusters"])


def test_kinds_of_negatives(packed, tmp_path):
    runs = {}
    for kind in ("fresh", "stale", "random"):
        mining = SETTINGS.mining.model_copy(update={"negatives": kind})
        run = make(packed, tmp_path / kind, mining=mining)
        run.model.eval()
        runs[kind] = [run.clusters_of(epoch) for epoch in (1, 2)]
    assert sets(runs["fresh"][0]) == sets(runs["stale"][0])
    assert sets(runs["stale"][1]) == sets(runs["stale"][0])
    assert runs["stale"][1]["clusters"] != runs["stale"][0]["clusters"]
    assert sets(runs["fresh"][1]) != sets(runs["fresh"][0])
    for found in runs["random"]:
        assert sorted(video for cluster in found["clusters"] for video in cluster) == list(range(24))
        assert found["relative_spread"] > max(mined["relative_spread"] for mined in runs["fresh"])


def test_mined_validation_is_harder_than_random(packed, tmp_path):
    found = make(packed, tmp_path).validate()
    assert found["hard_loss"] > found["random_loss"] > 0
    assert found == make(packed, tmp_path).validate()


def test_weights_that_are_not_numbers_are_named(packed, tmp_path):
    run = make(packed, tmp_path)
    with torch.no_grad():
        run.model.mlp.linear1.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match="representation of video 0 is not finite"):
        run.run()


def test_a_loss_that_is_not_a_number_names_the_update(packed, tmp_path):
    """The first update leaves weights with which the second cannot go on."""
    with pytest.raises(TrainingError, match="the loss is nan at update 2 in epoch 1"):
        make(packed, tmp_path, learning_rate=1e30, warmup=1, validations=1).run()
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "mine"], "pretrain.recipes has: one_cluster, own, public"),
        (["--set", "pretrain.clusters=3"], "pretrain.clusters"),
        (["--params", "params/50salads.yaml"], "data.roots: no data set at data/50salads"),
        (["--params", "params/50salads.yaml", "--only-pack"], "howto100m.roots: nothing at data/howto100m"),
    ],
)
def test_a_wrong_call_is_one_line(arguments, message, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_gradient_checkpointing_changes_nothing_but_memory(packed, whole, tmp_path):
    make(packed, tmp_path, gradient_checkpointing=True).run()
    ours, theirs = (load_file(folder / "weights.safetensors") for folder in (whole, tmp_path))
    for name in ours:
        torch.testing.assert_close(theirs[name], ours[name], rtol=0, atol=1e-6, msg=name)


def test_processes_that_draw_batches_draw_the_same(packed, whole, tmp_path):
    assert os.environ.get("OMP_NUM_THREADS")  # forked loaders beside many threads would be slow
    make(packed, tmp_path, workers=1).run()
    assert (tmp_path / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
