"""The reader of the MS-TCN layout: what is right is read, whatever is wrong is named."""

import io
import os

import numpy as np
import pytest

from lib.data.dataset import DatasetError, check_classes, check_features, check_lengths, open_dataset
from lib.data.profile import open_profile

CLASSES = ("cut", "mix", "serve")
FRAMES = {"rgb-01-1": 7, "rgb-01-2": 5, "rgb-02-1": 6}


@pytest.fixture
def root(tmp_path):
    """A small sound data set: three videos, two splits, 4 channels."""
    for folder in ("groundTruth", "splits", "features/i3d"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mapping.txt").write_text("0 cut\n1 mix\n2 serve\n")
    rng = np.random.default_rng(0)
    for video, frames in FRAMES.items():
        (tmp_path / "groundTruth" / f"{video}.txt").write_text("".join(f"{CLASSES[i % 3]}\n" for i in range(frames)))
        np.save(tmp_path / "features" / "i3d" / f"{video}.npy", rng.normal(size=(4, frames)).astype(np.float32))
    write_split(tmp_path, 1, ["rgb-01-1", "rgb-01-2"], ["rgb-02-1"])
    write_split(tmp_path, 2, ["rgb-02-1"], ["rgb-01-2", "rgb-01-1"])
    return tmp_path


def write_split(root, number, train, test):
    for side, videos in (("train", train), ("test", test)):
        (root / "splits" / f"{side}.split{number}.bundle").write_text("".join(f"{video}.txt\n" for video in videos))


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.zeros((4, 5), np.float32))
    return file.getvalue()


def header(shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(80)


def fails(root, message, features="i3d"):
    """Opening ends with one line that has `message`, which begins with the file at fault."""
    with pytest.raises(DatasetError) as caught:
        open_dataset(root, features, fps=30)
    text = str(caught.value)
    assert text.startswith(f"{root}/{message}"), text
    assert "\n" not in text


def test_reads_what_is_there(root):
    dataset = open_dataset(root, "i3d", fps=30)
    assert (dataset.classes, dataset.videos, dataset.fps, dataset.feature_dim) == (CLASSES, tuple(FRAMES), 30, 4)
    assert dataset.split(2) == (("rgb-02-1",), ("rgb-01-2", "rgb-01-1"))
    assert dataset.labels("rgb-01-2").tolist() == [0, 1, 2, 0, 1]
    assert dataset.labels("rgb-01-2").dtype == np.int64
    assert dataset.names("rgb-01-2") == ["cut", "mix", "serve", "cut", "mix"]
    feature = dataset.feature("rgb-01-2")
    assert feature.dtype == np.float32
    assert np.array_equal(feature, np.load(root / "features" / "i3d" / "rgb-01-2.npy"))
    check_features(dataset)


def test_labels_only_and_features_without_a_set(root):
    assert open_dataset(root, None, fps=30).feature_dim == 0
    for file in (root / "features" / "i3d").iterdir():
        file.rename(root / "features" / file.name)
    assert open_dataset(root, ".", fps=30).feature("rgb-02-1").shape == (4, 6)


def test_doubles_and_fortran_order_become_float32(root):
    path = root / "features" / "i3d" / "rgb-01-1.npy"
    values = np.load(path)
    np.save(path, np.asfortranarray(values.astype(np.float64)))
    feature = open_dataset(root, "i3d", fps=30).feature("rgb-01-1")
    assert feature.dtype == np.float32
    assert feature.flags.c_contiguous
    assert np.array_equal(feature, values)


def test_labels_cannot_be_overwritten_by_a_user(root):
    with pytest.raises(ValueError, match="read-only"):
        open_dataset(root, None, fps=30).labels("rgb-01-1")[0] = 1


# --- missing and extra videos


def write(name, text):
    return lambda root: (root / name).write_text(text)


def remove(name):
    return lambda root: [file.unlink() for file in root.glob(name)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("groundTruth/rgb-01-2.txt"), "splits/train.split1.bundle: rgb-01-2.txt is missing in groundTruth/"),
        (write("groundTruth/rgb-09-1.txt", "cut\n"),
         "groundTruth/rgb-09-1.txt: extra, not listed in train.split1.bundle or test.split1.bundle"),
        (write("groundTruth/rgb-02-1.txt", "cut\ncut\nmix\nCut\nmix\nmix \n"),
         "groundTruth/rgb-02-1.txt: line 4: class 'Cut' is not in mapping.txt"),
        (remove("features/i3d/rgb-01-2.npy"), "features/i3d/rgb-01-2.npy: missing, but groundTruth/ has rgb-01-2.txt"),
        (lambda root: np.save(root / "features" / "i3d" / "rgb-09-1.npy", np.zeros((4, 3), np.float32)),
         "features/i3d/rgb-09-1.npy: extra, groundTruth/ has no rgb-09-1.txt"),
        (lambda root: write_split(root, 1, ["rgb-01-1", "rgb-01-2", "rgb-01-1"], ["rgb-02-1"]),
         "splits/train.split1.bundle: rgb-01-1.txt is listed 2 times"),
        (write("splits/test.split1.bundle", "rgb-02-1\n"),
         "splits/test.split1.bundle: 'rgb-02-1': expected the name of a label file"),
        (lambda root: write_split(root, 2, ["rgb-02-1", "rgb-01-1"], ["rgb-01-1", "rgb-01-2"]),
         "splits/test.split2.bundle: rgb-01-1.txt is in train.split2.bundle too"),
        (remove("splits/train.split2.bundle"), "splits/train.split2.bundle: cannot be read (No such file"),
        (lambda root: [file.rename(file.with_name(f"old_{file.name}")) for file in root.glob("splits/*")],
         "splits: no bundle has a name such as"),
    ],
)  # fmt: skip
def test_videos_and_splits_that_do_not_fit(root, damage, message):
    damage(root)
    fails(root, message)


def test_missing_folder(root):
    fails(root, "features/s3d: has no *.npy", features="s3d")
    (root / "mapping.txt").unlink()
    fails(root, "mapping.txt: cannot be read (No such file or directory)")


# --- text files


@pytest.mark.parametrize("name", ["mapping.txt", "groundTruth/rgb-01-2.txt", "splits/test.split2.bundle"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.removesuffix(b"\n"), "no newline after the last line"),
        (lambda text: text.replace(b"\n", b"\r\n"), "line ends of Windows (CRLF)"),
        (lambda text: text + b"\n", "line "),
        (lambda text: b"", "empty"),
        (lambda text: b"\xff" + text, "not a text file in UTF-8"),
    ],
    ids=["no final newline", "CRLF", "empty line", "empty file", "not text"],
)
def test_text_files(root, name, change, message):
    path = root / name
    path.write_bytes(change(path.read_bytes()))
    fails(root, f"{name}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 cut\n1 mix\n1 serve\n", "'1 serve': expected `number name`, each number and name once"),
        ("0 cut\n1 mix\n2 cut\n", "'2 cut': expected"),
        ("0 cut\n1\n", "'1': expected"),
        ("cut 0\n", "'cut 0': expected"),
        ("0 cut\n1 mix\n3 serve\n", "class numbers must run from 0 to 2 without a gap"),
        ("0 cut tomato\n1 mix\n2 cut\u00a0tomato\n", "'2 cut\\xa0tomato': expected"),
    ],
)
def test_mapping(root, text, message):
    (root / "mapping.txt").write_text(text)
    fails(root, f"mapping.txt: {message}")


@pytest.mark.parametrize("blank", [" ", "  ", "\t", "\u00a0"], ids=["blank", "two blanks", "tab", "no-break space"])
def test_class_names_of_several_words(root, blank):
    """Trailing white space, and its kind between words, is invisible to a person, so it makes no difference here."""
    (root / "mapping.txt").write_text(f"2{blank}serve\n0 cut{blank}tomato\n1 mix{blank}\n")  # in any order
    for file in (root / "groundTruth").iterdir():
        file.write_text(file.read_text().replace("cut\n", f"cut{blank}tomato{blank}\n"))
    bundle = root / "splits" / "test.split1.bundle"
    bundle.write_text(bundle.read_text().replace(".txt", f".txt{blank}"))
    dataset = open_dataset(root, "i3d", fps=30)
    assert dataset.classes == ("cut tomato", "mix", "serve")
    assert dataset.names("rgb-01-2") == ["cut tomato", "mix", "serve", "cut tomato", "mix"]
    assert dataset.split(1)[1] == ("rgb-02-1",)


def test_classes_and_lengths_that_a_profile_asks_for(root):
    dataset = open_dataset(root, "i3d", fps=30)
    check_classes(["cut", "serve"], dataset.classes, "data.ignore")
    message = "^data.ignore: the data set has no class 'background'; its classes are cut, "
    with pytest.raises(DatasetError, match=message):
        check_classes(["cut", "background"], dataset.classes, "data.ignore")
    check_lengths(dataset, 4)
    with pytest.raises(DatasetError, match=r"groundTruth/rgb-01-2.txt: 5 frames, of which asformer.sample_rate 5 le"):
        check_lengths(dataset, 5)


def test_a_profile_is_held_against_its_data(root):
    """By whatever opens the data set: lib.check, lib.compare and the notebooks."""
    sets = ["notebooks=[2_1_datasets, 2_3_1_public_features]", f"data.roots=[{root}]", "data.splits=2"]
    sets += ["controls.splits=[1]", "data.public_features=i3d", "data.ignore=[]"]
    assert open_profile("params/50salads.yaml", sets).dataset("i3d").feature_dim == 4
    with pytest.raises(DatasetError, match="no class 'action_end'"):
        open_profile("params/50salads.yaml", [*sets, "data.ignore=[action_end]"]).dataset()
    with pytest.raises(DatasetError, match=r"rgb-01-2.txt: 5 frames, of which asformer.sample_rate 6"):
        open_profile("params/50salads.yaml", [*sets, "asformer.sample_rate=6"]).public_dataset()


@pytest.mark.parametrize("name", ["mapping.txt", "groundTruth/rgb-01-2.txt", "splits/test.split2.bundle"])
def test_a_pipe_does_not_hang(root, name):
    (root / name).unlink()
    os.mkfifo(root / name)
    fails(root, f"{name}: not a file")


def test_a_copy_of_a_training_video_is_no_test_video(root):
    """Equal labels alone are no copy: a small set may repeat them."""
    first, copy = (root / "groundTruth" / f"rgb-0{person}-1.txt" for person in (1, 2))
    copy.write_bytes(first.read_bytes())
    features = [root / "features" / "i3d" / f"{path.stem}.npy" for path in (first, copy)]
    np.save(features[1], np.load(features[0]) + 1)
    assert open_dataset(root, "i3d", fps=30).videos
    features[1].write_bytes(features[0].read_bytes())
    fails(root, "features/i3d/rgb-02-1.npy: a copy of rgb-01-1.npy, on which split 1 trains")
    assert open_dataset(root, None, fps=30).videos


# --- features


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((4, 8), np.float32), "8 frames, but groundTruth/rgb-01-2.txt has 5; extract or trim"),
        (np.zeros((5, 4), np.float32), "4 frames, but groundTruth/rgb-01-2.txt has 5; it seems to be (T, D)"),
        (np.zeros((3, 5), np.float32), "3 channels, but rgb-01-1.npy has 4"),
        (np.zeros((1, 4, 5), np.float32), "float32 of shape (1, 4, 5); expected floats of shape (D, T)"),
        (np.zeros((4, 5), np.int64), "int64 of shape (4, 5)"),
        (np.zeros((0, 5), np.float32), "float32 of shape (0, 5)"),
        (np.array([[None] * 5] * 4), "not a complete .npy file"),
    ],
    ids=["length", "transposed", "channels", "dimensions", "integers", "no channels", "objects"],
)
def test_features_that_do_not_fit(root, value, message):
    np.save(root / "features" / "i3d" / "rgb-01-2.npy", value, allow_pickle=True)
    fails(root, f"features/i3d/rgb-01-2.npy: {message}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *[(lambda content, size=size: content[:size], "") for size in (0, 40, 150)],
        (lambda _: npz(), "an archive of np.savez; save its array with np.save"),
        (lambda _: b"version https://git-lfs", "the first bytes are not those of NumPy's format"),
        (lambda _: header("(5, 1000000000000)"), ""),
        (lambda _: header("(-4, 5)"), ""),
        (lambda _: header("(1000000000000000000000000000000, 5)"), ""),
        (lambda _: header("(4, 5"), ""),
        (lambda _: header("(4,\\n  5\\n 6)"), ""),
    ],
    ids=["empty", "half a header", "half", "npz", "pointer", "short", "negative", "beyond int64", "open", "indented"],
)
def test_what_is_no_npy_file(root, change, message):
    path = root / "features" / "i3d" / "rgb-01-2.npy"
    path.write_bytes(change(path.read_bytes()))
    fails(root, "features/i3d/rgb-01-2.npy: not a complete .npy file (" + message)


def test_values_that_are_not_finite(root):
    path = root / "features" / "i3d" / "rgb-01-2.npy"
    feature = np.load(path)
    feature[2, 3] = np.inf
    np.save(path, feature)
    dataset = open_dataset(root, "i3d", fps=30)  # the header is sound
    message = r"rgb-01-2.npy: NaN or infinite in 1 of 5 frames, first in frame 3"
    with pytest.raises(DatasetError, match=message):
        dataset.feature("rgb-01-2")
    with pytest.raises(DatasetError, match=message):
        check_features(dataset)


# --- asking for what is not there


def test_unknown_video_split_and_features(root):
    dataset = open_dataset(root, None, fps=30)
    with pytest.raises(DatasetError, match=r"groundTruth/rgb-99-9.txt: no such video"):
        dataset.labels("rgb-99-9")
    with pytest.raises(DatasetError, match=r"splits: no split 3; there are 1, 2"):
        dataset.split(3)
    with pytest.raises(DatasetError, match="opened for its labels only"):
        dataset.feature("rgb-01-1")


# --- the real sets


def test_real_50salads_labels(shared):
    dataset = open_dataset(shared / "data" / "50salads", None, fps=30)
    assert (len(dataset.videos), len(dataset.classes)) == (50, 19)
    assert (dataset.classes[0], dataset.classes[18]) == ("cut_tomato", "action_end")
    labels = [dataset.labels(video) for video in dataset.videos]
    lengths = [len(one) for one in labels]
    assert (sum(lengths), min(lengths), max(lengths)) == (577_595, 7_555, 18_143)
    frames = np.bincount(np.concatenate(labels))
    assert (frames[dataset.classes.index("peel_cucumber")], frames.max()) == (61_567, 61_567)
    assert (frames[dataset.classes.index("place_cheese_into_bowl")], frames.min()) == (10_495, 10_495)
    assert sum(np.count_nonzero(np.diff(one)) + 1 for one in labels) == 999
    tested = [video for k in range(1, 6) for video in dataset.split(k)[1]]
    assert sorted(tested) == list(dataset.videos)


def test_real_50salads_scores(shared):
    dataset = open_dataset(shared / "data" / "50salads_scores", ".", fps=1)
    assert (len(dataset.videos), len(dataset.classes), dataset.feature_dim) == (50, 18, 18)
    assert sum(len(dataset.labels(video)) for video in dataset.videos) == 16_596
    check_features(dataset)


@pytest.mark.parametrize(
    ("trim", "kept"), [("start", slice(3, None)), ("both_ends", slice(1, -2)), ("end", slice(None, -3))]
)
def test_features_that_outlast_the_labels_are_cut_where_asked(root, trim, kept):
    path = next((root / "features" / "i3d").glob("*.npy"))
    feature = np.load(path)
    longer = np.concatenate([feature, feature[:, -3:]], axis=1)
    np.save(path, longer)
    with pytest.raises(DatasetError, match="frames, but"):
        open_dataset(root, "i3d", 30)
    np.testing.assert_array_equal(open_dataset(root, "i3d", 30, trim).feature(path.stem), longer[:, kept])
    np.save(path, feature[:, :-1])
    with pytest.raises(DatasetError, match="frames, but"):
        open_dataset(root, "i3d", 30, trim)  # which never lengthens


def test_what_a_killed_writer_left_behind_is_no_file_of_the_data_set(root):
    (root / "features" / "i3d" / ".rgb-01-1.npy.77.tmp.npy").write_bytes(b"half")
    (root / "groundTruth" / ".rgb-01-1.txt.77.tmp.txt").write_text("cu")
    assert open_dataset(root, "i3d", 30).videos == ("rgb-01-1", "rgb-01-2", "rgb-02-1")


# --- anything at all


def mutated(root, rng):
    """Change one file of the set as editors, disks and careless scripts do."""
    path = rng.choice(sorted(path for path in root.rglob("*") if path.is_file()))
    data = bytearray(path.read_bytes())
    place = int(rng.integers(len(data) or 1))
    match int(rng.integers(9)):
        case 0:
            data[place : place + 1] = bytes([int(rng.integers(256))])
        case 1:
            del data[place : place + int(rng.integers(1, 20))]
        case 2:
            data[place:place] = rng.bytes(int(rng.integers(1, 20)))
        case 3:
            data[place:place] = rng.choice([b"\n", b"\0", b" ", b"\r", b"\xef\xbb\xbf", b"../../", "\u2028".encode()])
        case 4:
            lines = data.split(b"\n")
            lines.insert(int(rng.integers(len(lines))), lines[int(rng.integers(len(lines)))])
            data = bytearray(b"\n".join(lines))
        case 5:
            data = bytearray(rng.choice(sorted(path for path in root.rglob("*") if path.is_file())).read_bytes())
        case 6:
            data = data[:place]
        case 7:
            path.rename(path.with_name(str(rng.choice(["x.txt", "x.npy", "train.split3.bundle", "Ä b.txt"]))))
            return
        case 8:
            path.unlink()
            path.mkdir()
            return
    path.write_bytes(data)


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")  # a header as Python 2 wrote it is read
@pytest.mark.parametrize("seed", range(300))
def test_a_mutated_set_is_read_or_refused_in_one_line(root, seed):
    rng = np.random.default_rng(seed)
    for _ in range(int(rng.integers(1, 3))):
        mutated(root, rng)
    fault = ""
    try:
        dataset = open_dataset(root, "i3d", fps=30)
        check_features(dataset)
    except DatasetError as error:
        fault = str(error)
    if fault:
        assert fault.startswith(str(root)) and fault.isprintable() and len(fault) < 700
        return
    for video in dataset.videos:
        assert dataset.feature(video).shape == (dataset.feature_dim, len(dataset.names(video)))
    for number in dataset.splits:
        train, test = dataset.split(number)
        assert sorted([*train, *test]) == sorted(dataset.videos)
