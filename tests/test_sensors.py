"""50 Salads in two modalities: the converter, the reader, the motion windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat, savemat

from lib import fetch
from lib.data.dataset import DatasetError, open_dataset
from lib.data.sensors import CAP, convert, motion_windows, read_sensors, sensor_folder


@pytest.fixture
def copy(shared):
    return shared / "data" / "50salads_spatialcnn"


@pytest.fixture
def raw(tmp_path):
    """Five videos in the published form, one test video per split."""
    folder, generator = tmp_path / "raw", np.random.default_rng(0)
    (folder / "splits").mkdir(parents=True)
    (folder / "mid_level_actions.txt").write_text("cut\npeel")
    videos = {f"{number:02d}-1": 5 + number for number in range(1, 6)}
    common = {v: {"S": generator.random((30, t)), "Y": generator.integers(0, 3, (t, 1))} for v, t in videos.items()}
    for k, tested in enumerate(videos, 1):
        (folder / "splits" / f"Split_{k}").mkdir()
        (folder / "splits" / f"Split_{k}" / "test.txt").write_text(f"{tested}\n")
        (folder / f"Split_{k}").mkdir()
        for video, steps in videos.items():
            own = {"A": generator.random((steps, 4)).astype(np.float32)}
            savemat(folder / f"Split_{k}" / f"rgb-{video}.avi.mat", common[video] | own)
    return folder


def test_converter(raw, tmp_path):
    convert(raw, tmp_path / "out")
    datasets = [open_dataset(tmp_path / "out", f"split_{k}", 3.0) for k in range(1, 6)]
    assert datasets[0].classes == ("background", "cut", "peel")
    assert datasets[2].split(3) == (("rgb-01-1", "rgb-02-1", "rgb-04-1", "rgb-05-1"), ("rgb-03-1",))
    shapes = {video: values.shape for video, values in read_sensors(datasets[0]).items()}
    assert shapes == {f"rgb-{number:02d}-1": (30, 5 + number) for number in range(1, 6)}
    assert list(read_sensors(datasets[0], ["rgb-04-1"])) == ["rgb-04-1"]
    first, second = (dataset.feature("rgb-01-1") for dataset in datasets[:2])
    assert first.shape == (4, 6) and not np.allclose(first, second)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("S", np.zeros((30, 7)), "sensors are not those of split 1"),
        ("Y", np.full((7, 1), 2), "labels are not those of split 1"),
        ("S", np.zeros((29, 7)), r"sensors \(29, 7\) of 7 labels"),
    ],
)
def test_converter_names_a_file_that_does_not_fit(raw, tmp_path, key, value, message):
    path = raw / "Split_4" / "rgb-02-1.avi.mat"
    cells = {name: values for name, values in loadmat(path).items() if name in "ASY"}
    savemat(path, cells | {key: value})
    with pytest.raises(DatasetError, match=message):
        convert(raw, tmp_path / "out")


def test_fetch_links_to_the_copy(copy, tmp_path, capsys):
    assert fetch.main(["50salads_sensors"], data=tmp_path) == 0
    assert capsys.readouterr().out.endswith("50 videos, 49735 frames, 128 channels, 30 of sensors, all checks passed\n")
    assert (tmp_path / "50salads_sensors" / "sensors").is_symlink()


def test_every_raw_file_has_an_address_and_a_checksum(tmp_path, capsys):
    files = fetch._sensor_files()
    assert len(files) == 256
    assert all(url.startswith("https://") and len(digest) == 64 for url, digest in files.values())
    assert fetch.main(["50salads_sensors", "--from", str(tmp_path)], data=tmp_path / "data") == 1
    assert "Split_1/rgb-01-1.avi.mat: missing; it is published at https://" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "rgb-02-1.npy").unlink(), "rgb-02-1.npy: not a complete .npy file"),
        (lambda folder: np.save(folder / "rgb-09-1.npy", np.zeros((30, 3))), "rgb-09-1.npy: extra"),
        (lambda folder: np.save(folder / "rgb-02-1.npy", np.zeros((30, 3))), r"shape \(30, 3\), expected \(30, 7\)"),
        (lambda folder: np.save(folder / "rgb-02-1.npy", np.full((30, 7), np.nan)), "NaN or infinite in 7 of 7 steps"),
    ],
)
def test_faulty_sensors_are_named(raw, tmp_path, damage, message):
    convert(raw, tmp_path / "out")
    damage(sensor_folder(tmp_path / "out"))
    with pytest.raises(DatasetError, match=message) as caught:
        read_sensors(open_dataset(tmp_path / "out", None, 3.0))
    assert "\n" not in str(caught.value)


@given(arrays(np.float32, st.tuples(st.just(30), st.integers(1, 40)), elements=st.floats(0, 15, width=32)))
def test_motion_windows(sensors):
    windows = motion_windows(sensors)
    assert windows.shape == (60, sensors.shape[1]) and windows.dtype == np.float32
    assert windows.min() >= -1e-5 and windows[:30].max() <= CAP + 1e-5 and windows[30:].max() <= 1 + 1e-5
    # a reference written as a loop
    present = sensors != 0
    change = np.zeros_like(sensors)
    for t in range(1, sensors.shape[1]):
        seen = present[:, t] & present[:, t - 1]
        change[:, t] = np.where(seen, np.minimum(np.abs(sensors[:, t] - sensors[:, t - 1]), CAP), 0)
    around = np.clip(np.arange(sensors.shape[1])[:, None] + np.arange(-2, 3), 0, sensors.shape[1] - 1)
    expected = np.concatenate([change, present])[:, around].mean(axis=2)
    assert np.allclose(windows, expected, atol=1e-4)
