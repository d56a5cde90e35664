"""Converter of the published scores, and the command that fetches data sets."""

import shutil

import numpy as np
import pooch
import pytest

from lib import fetch
from lib.data import narrated
from lib.data.dataset import DatasetError
from lib.data.svm_scores import convert


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def copy(source, target):
    for name in files(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return target


@pytest.fixture
def raw(shared, tmp_path):
    """A copy of the published files that a test may damage."""
    return copy(shared / "data" / "50salads_scores_raw", tmp_path / "raw")


def test_converter_gives_the_shared_data_set(shared, tmp_path):
    expected = shared / "data" / "50salads_scores"
    convert(shared / "data" / "50salads_scores_raw", tmp_path)
    assert files(tmp_path) == files(expected)
    for name in files(expected):
        if name.suffix == ".npy":
            ours, theirs = np.load(tmp_path / name), np.load(expected / name)
            assert ours.dtype == theirs.dtype == np.float32
            assert np.array_equal(ours, theirs)
        else:
            assert (tmp_path / name).read_bytes() == (expected / name).read_bytes()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: (raw / "Split_3.mat").unlink(), "Split_3.mat: cannot be read"),
        (lambda raw: (raw / "mid_level_actions.txt").unlink(), "mid_level_actions.txt: cannot be read"),
        (lambda raw: (raw / "mid_level_actions.txt").write_text("cut\nmix\n"), r"06-1 has scores \(281, 18\)"),
        (lambda raw: (raw / "splits/Split_2/test.txt").write_text("01-1\n"), "Split_2.mat: 10 videos, but .* names 1"),
    ],
)
def test_converter_names_what_is_wrong_and_writes_nothing(raw, tmp_path, damage, message):
    damage(raw)
    with pytest.raises(DatasetError, match=message):
        convert(raw, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_fetch_from_a_folder(shared, tmp_path, capsys):
    source = shared / "data" / "50salads_scores_raw"
    assert fetch.main(["50salads_scores", "--from", str(source)], data=tmp_path) == 0
    said = "50salads_scores: 50 videos, 16596 frames, 18 channels, all checks passed\n"
    assert capsys.readouterr().out.endswith(said)


def test_fetch_downloads_each_file_once(shared, tmp_path, monkeypatch):
    source, asked = shared / "data" / "50salads_scores_raw", []

    def download(self, url, output_file, pooch, **_):
        asked.append(url)
        name = next(name for name, (its_url, _) in fetch.FILES.items() if its_url == url)
        shutil.copyfile(source / name, output_file)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    assert fetch.main(["50salads_scores"], data=tmp_path) == 0
    assert sorted(asked) == sorted(url for url, _ in fetch.FILES.values())
    assert fetch.main(["50salads_scores"], data=tmp_path) == 0
    assert len(asked) == len(fetch.FILES)


@pytest.fixture
def no_network(monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("name or service not known")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", unreachable)


def test_without_a_network_one_line_and_exit_code_1(no_network, tmp_path, capsys):
    assert fetch.main(["50salads_scores"], data=tmp_path) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"not downloaded (ConnectionError); without a network, copy it to {tmp_path}" in line
    assert not (tmp_path / "50salads_scores").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: (raw / "Split_3.mat").unlink(), "Split_3.mat: missing; it is published at https://"),
        (lambda raw: (raw / "Split_3.mat").write_bytes(b"MATLAB"), "Split_3.mat: not the published file"),
    ],
)
def test_a_wrong_raw_file_is_named(raw, tmp_path, capsys, damage, message):
    damage(raw)
    assert fetch.main(["50salads_scores", "--from", str(raw)], data=tmp_path / "data") == 1
    assert message in capsys.readouterr().err


def test_what_is_fetched_by_hand_is_explained_and_checked(shared, tmp_path, capsys):
    for name in ("50salads", "50salads_labels"):
        assert fetch.main([name], data=tmp_path) == 1
        text = capsys.readouterr().err
        assert "from:    https://" in text and f"into:    {tmp_path}" in text
    copy(shared / "data" / "50salads", tmp_path / "50salads")
    assert fetch.main(["50salads"], data=tmp_path) == 1
    assert "50salads/features: has no *.npy" in capsys.readouterr().err
    assert fetch.main(["50salads_labels"], data=tmp_path) == 0
    assert capsys.readouterr().out.endswith("50salads: 50 videos, 577595 frames, all checks passed\n")


@pytest.mark.parametrize(
    ("name", "copied", "count"),
    [("mstcn_i3d_predictions", "results/50salads", 50), ("howto100m_captions", "captions", 100)],
)
def test_published_files_in_their_place_are_checked(shared, no_network, tmp_path, capsys, name, copied, count):
    folder = copy(shared / "data" / name / copied, tmp_path / name)
    assert fetch.main([name], data=tmp_path) == 0
    assert capsys.readouterr().out == f"{folder}: {count} files, all checks passed\n"
    damaged = folder / files(folder)[-1]
    damaged.write_text("mix")
    assert fetch.main([name], data=tmp_path) == 1
    assert f"not downloaded (ConnectionError); without a network, copy it to {damaged}" in capsys.readouterr().err


def test_a_wrong_call_ends_with_exit_code_2():
    for arguments in (["fifty_salads"], ["50salads", "--from", "."]):
        with pytest.raises(SystemExit) as caught:
            fetch.main(arguments)
        assert caught.value.code == 2


def test_lists_of_howto100m_are_stratified(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(narrated.split_lists, "__defaults__", (40,))
    table, root = tmp_path / "HowTo100M_v1.csv", tmp_path / "howto100m"
    rows = [f"v{number:03d},{'Food' if number % 4 else 'Pets'},a,1,2" for number in range(410)]
    table.write_text("\n".join(["video_id,category_1,category_2,rank,task_id", *rows, rows[0]]))
    folder = root / "features" / "s3d"
    folder.mkdir(parents=True)
    for number in range(400):
        (folder / f"v{number:03d}.mp4.npy").touch()
    assert fetch.main(["howto100m_lists", "--from", str(table)], tmp_path) == 0
    assert "360 videos in train.lst, 40 in val.lst" in capsys.readouterr().out
    train, val = narrated.read_list(root, "train"), narrated.read_list(root, "val")
    assert {*train, *val} == {f"v{number:03d}" for number in range(400)}
    assert sum(int(video[1:]) % 4 == 0 for video in val) == 10
    assert fetch.main(["howto100m_lists", "--from", str(table)], tmp_path) == 1
    assert "train.lst: exists already; remove it" in capsys.readouterr().err
    for part in ("train", "val"):
        (root / f"{part}.lst").unlink()
    table.write_text("video_id,category_1\nv000,Food\nv001,Pets\n")
    assert fetch.main(["howto100m_lists", "--from", str(table)], tmp_path) == 1
    assert "2 videos with features cannot be split" in capsys.readouterr().err
    table.write_text("<html>")
    assert fetch.main(["howto100m_lists", "--from", str(table)], tmp_path) == 1
    assert "not HowTo100M_v1.csv" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        fetch.main(["howto100m_lists"], tmp_path)
