"""The project works in any folder and with any user's settings, and says in one line what it cannot do."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from test_schedule import NOTEBOOK, small_data_set, write_profile

from lib.asformer.cross_validation import cross_validate
from lib.core.command import one_line
from lib.core.files import remove_leftovers
from lib.core.params import load
from lib.core.paths import ROOT, Outputs
from lib.core.processes import clean_environment
from lib.data.profile import Profile
from lib.run import main as run

METHOD = "asformer_public"
ODD = "a b#c&d'e\"f%20{g}$(touch pwned) é"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in a folder of an odd name, inside another repository."""
    folder = tmp_path_factory.mktemp("odd") / ODD / "project"
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
    for name in ("Snakefile", "README.md"):
        shutil.copy(ROOT / name, folder)
    subprocess.run(["git", "init", "--quiet", folder.parent], check=True)
    small_data_set(folder.parent / "data", 2)
    return folder


def hostile(folder: Path) -> dict[str, str]:
    """Settings of a user that would break or change a result, and what a container lacks."""
    kernel = folder / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "mine", "language": "python"}')
    (folder / "matplotlibrc").write_text("text.usetex: True\nfigure.dpi: 7\n")
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("import os\nos._exit(3)\n")
    (folder / "ipykernel_launcher.py").write_text("raise SystemExit('of PYTHONPATH')\n")
    (folder / ("long" * 25)).mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "LOGNAME", "USER", "USERNAME")}
    return kept | {
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(folder),
        "SNAKEMAKE_PROFILE": "nowhere",
        "TMPDIR": str(folder / ("long" * 25)),
        "GIT_DIR": str(ROOT / ".git"),
        "HOME": "/dev/null/home",
    }


def test_odd_names_and_hostile_settings_change_nothing(project, tmp_path):
    profile = project / "params" / f"{ODD}.yaml"
    write_profile(profile, project.parent / "data", split_jobs=False)
    command = [sys.executable, "-m", "lib.schedule", "--params", f"params/{ODD}.yaml", "--cores", "2"]
    call = subprocess.run(command, cwd=project, env=hostile(tmp_path), capture_output=True, text=True)
    assert call.returncode == 0, call.stdout + call.stderr
    assert not list(project.rglob("pwned"))
    where = project / "outputs" / ODD
    assert '"revision": "unknown"' in (where / "notebooks" / NOTEBOOK / "all.json").read_text()
    # the same in this process, with this user's settings
    torch.set_num_threads(1)
    plain = Profile(load(profile), Outputs(f"plain_{os.getpid()}"))
    try:
        cross_validate(plain, plain.public_dataset(), METHOD)
        for split in plain.splits:
            history = where / "runs" / METHOD / f"split_{split}" / "history.csv"
            assert history.read_bytes() == (plain.out.run(METHOD, split) / "history.csv").read_bytes()
            for file in sorted(plain.out.predictions(METHOD, split).glob("*")):
                made = where / "predictions" / METHOD / f"split_{split}" / file.name
                assert made.read_bytes() == file.read_bytes(), file.name
    finally:
        shutil.rmtree(plain.out.root)


def test_a_wrong_number_of_cores_is_a_line():
    command = [sys.executable, "-m", "lib.schedule", "--cores", "0"]
    call = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (call.returncode, call.stderr) == (2, "error: --cores 0: at least one is needed\n")
    make = ["make", "--dry-run", "report", "PATH=/nowhere", "SETUP="]
    call = subprocess.run(make, cwd=ROOT, capture_output=True, text=True)
    assert "nproc" not in call.stderr and "--cores  " not in call.stdout


@pytest.fixture
def profile(project, tmp_path):
    path = tmp_path / f"{tmp_path.name}_{os.getpid()}.yaml"
    write_profile(path, project.parent / "data", split_jobs=False)
    yield path
    shutil.rmtree(Outputs(path.stem).root, ignore_errors=True)


def atom(profile: Path, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "lib.run", f"notebooks/{NOTEBOOK}.py", "--params", str(profile)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def left(profile: Path) -> list[str]:
    return sorted(file.name for file in (Outputs(profile.stem).notebooks / NOTEBOOK).iterdir())


def test_a_full_disk_is_a_line_and_leaves_nothing(profile):
    """No file may be larger than 4 kB, as on a disk that is full."""
    call = atom(profile, preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (4096, 4096)))
    _, said = call.communicate()
    assert call.returncode == 1 and "Traceback" not in said
    assert [line for line in said.splitlines() if line.startswith("error: ")] == said.splitlines()[-1:]
    assert left(profile) in ([".all.lock"], [".all.lock", "all.failed.ipynb"])


def test_a_killed_kernel_is_a_line(profile):
    profile.write_text(profile.read_text().replace("epochs: 12", "epochs: 5000"))
    call = atom(profile)
    while not any(Outputs(profile.stem).root.rglob("checkpoint.safetensors")):
        assert call.poll() is None
        time.sleep(0.2)
    children = Path(f"/proc/{call.pid}/task/{call.pid}/children").read_text().split()
    (kernel,) = (one for one in children if b"ipykernel_launcher" in Path(f"/proc/{one}/cmdline").read_bytes())
    os.kill(int(kernel), signal.SIGKILL)
    _, said = call.communicate(timeout=60)
    assert call.returncode == 1
    assert said.splitlines()[-1] == f"error: {NOTEBOOK}: its kernel died (out of memory?)"
    assert left(profile) == [".all.lock", "all.failed.ipynb"]


def test_outputs_that_cannot_be_written_are_a_line(profile, capsys):
    out = Outputs(profile.stem)
    out.root.write_text("a file in the way\n")
    try:
        assert run([f"notebooks/{NOTEBOOK}.py", "--params", str(profile)]) == 1
    finally:
        out.root.unlink()
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1


def test_a_home_that_cannot_be_written_is_replaced(monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null/home")
    monkeypatch.delenv("LOGNAME", raising=False)
    environment = clean_environment()
    assert environment["HOME"] == str(ROOT / "outputs" / ".home") and environment["LOGNAME"]


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    old, names = time.time() - 7200, (f".a.csv.{dead.pid}.tmp.csv", f".b.{os.getpid()}.tmp", "c.1.tmp", ".d.tmp")
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (old, old))
    (tmp_path / f".e.{dead.pid}.tmp").touch()
    remove_leftovers(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*names[1:], f".e.{dead.pid}.tmp"}


def test_only_faults_of_the_program_show_a_traceback(capsys):
    def command(error: BaseException) -> int:
        raise error

    assert one_line(command)(FileNotFoundError("no\nfile")) == 2
    assert one_line(command)(OSError("disk full")) == 1
    assert one_line(command)(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "error: no file\nerror: disk full\ninterrupted\n"
    with pytest.raises(ValueError, match="a bug"):
        one_line(command)(ValueError("a bug"))
