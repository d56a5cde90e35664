"""The atom: execute one notebook for one split, e.g.

    python -m lib.run notebooks/2_3_3_baseline.py --params params/demo.yaml --split 3 --set asformer.epochs=5

It works by itself from a shell loop, a SLURM array or a Kubernetes Job; the Snakefile only schedules it. The executed
notebook and its manifest appear under outputs/<profile>/notebooks/<name>/ when all went well, and only then.
Exit code 2: the call is wrong and nothing was written; 1: the notebook failed.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from lib.batch.requirements import hint, input_files, runnable
from lib.core.chapters import CHAPTERS, needs
from lib.core.files import imported_modules, publish, revision, sha256, write_json
from lib.core.params import ParameterError
from lib.core.paths import ROOT
from lib.core.processes import die_with_parent, lease_gpu, only_one, warnings_filter
from lib.data.dataset import DatasetError, check_bundles
from lib.data.profile import Profile, open_profile

PACKAGES = [
    "jupyterlab",
    "papermill",
    "torch",
    "opencv-python",
    "faiss-cpu",
    "transformers",
    "pytorchvideo",
    "seaborn",
    "pandas",
    "jupytext",
]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.run", description="Execute one notebook for one split.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    parser.add_argument("--split", default="all", help="a number, or all (default: %(default)s)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="section.key=value")
    options = parser.parse_args(arguments)
    if "REPORT_SCHEDULED" in os.environ:
        die_with_parent()
    try:
        profile = open_profile(options.params, options.overrides)
        name = check(options.notebook, options.split, profile)
        check_inputs(name, profile)
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return execute(name, options.split, profile, options.overrides)


def check(notebook: Path, split: str, profile: Profile) -> str:
    """The notebook's name, if it exists and runs in this profile and for this split."""
    name = notebook.stem
    if name not in CHAPTERS or not (ROOT / "notebooks" / f"{name}.py").exists():
        raise ParameterError(f"{notebook}: no such notebook; there are: {', '.join(CHAPTERS)}")
    if name not in profile.params.notebooks:
        raise ParameterError(
            f"{notebook}: not a chapter of {profile.file} (its key `notebooks` lists: {', '.join(profile.params.notebooks)})"
        )
    if split != "all" and not CHAPTERS[name].per_split:
        raise ParameterError(f"{notebook}: has no splits; leave --split out")
    if split not in (*map(str, profile.params.data.split_numbers), "all"):
        raise ParameterError(f"--split {split}: {profile.file} has splits 1 to {profile.params.data.splits}, and all")
    return name


def check_inputs(name: str, profile: Profile) -> None:
    """Name at once, before anything runs, what this notebook lacks on this machine."""
    if reason := runnable(profile)[name]:
        raise ParameterError(f"{name}: {reason}; {hint(profile.file)}")
    if profile.params.data.source == "files" and not CHAPTERS[name].about:
        try:
            check_bundles(profile.root / "splits", profile.params.data.splits)
        except DatasetError as error:
            raise ParameterError(f"{name}: {error}") from None


def execute(name: str, split: str, profile: Profile, overrides: list[str]) -> int:
    import jupytext
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    source = ROOT / "notebooks" / f"{name}.py"
    folder = profile.out.notebooks / name
    os.environ["REPORT_ATOM"] = f"{name} split {split}" if split != "all" else name
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # lib/data/video.py counts damaged frames and names them
    os.environ["PYTHONWARNINGS"] = warnings_filter()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # atoms run side by side; one thread each also fixes summation order
    for limit in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        os.environ.setdefault(limit, str(1 << 30))  # glibc keeps a step's memory for the next: no new pages to clear
    started = time.time()
    with only_one(folder / f".{split}.lock"), lease_gpu(), tempfile.TemporaryDirectory() as sockets:
        running, failed = folder / f".{split}.running.ipynb", folder / f"{split}.failed.ipynb"
        try:
            papermill.execute_notebook(
                jupytext.read(source),
                str(running),
                parameters={"params": profile.file, "split": split, "overrides": overrides},
                cwd=str(ROOT),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),  # no open ports
                stderr_file=sys.stderr,
            )
        except PapermillExecutionError as error:
            running.replace(failed)
            print(f"error: {os.environ['REPORT_ATOM']}: {error.ename}: {error.evalue}", file=sys.stderr)
            print(f"the notebook up to the error: {failed.relative_to(ROOT)}", file=sys.stderr)
            return 1
        except DeadKernelError:
            running.replace(failed)
            print(f"error: {os.environ['REPORT_ATOM']}: its kernel died (out of memory?)", file=sys.stderr)
            return 1
        publish(running, folder / f"{split}.ipynb")
        failed.unlink(missing_ok=True)
        write_json(folder / f"{split}.json", manifest(name, split, profile, overrides, started))
    return 0


def manifest(name: str, split: str, profile: Profile, overrides: list[str], started: float) -> dict:
    """What made this result: parameters, hashes of what it read, revision, versions, time."""
    source = ROOT / "notebooks" / f"{name}.py"
    sections = {
        section: getattr(profile.params, section).model_dump(mode="json") for section in CHAPTERS[name].sections
    }
    folder = profile.out.notebooks
    data = [ROOT / file for file in input_files(name, profile)]
    before = [folder / other / f"{part}.json" for other, part in needs((name, split), profile.params)]
    return {
        "notebook": name,
        "split": split,
        "profile": profile.out.profile,
        "overrides": overrides,
        "parameters": sections,
        "inputs": {
            os.path.relpath(file, ROOT): sha256(file)
            for file in [source, *sorted(imported_modules(source)), *data, *before]
            if file.exists()
        },
        "revision": revision(),
        "versions": {package: version(package) for package in PACKAGES},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
