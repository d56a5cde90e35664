"""The atom: execute one notebook for one split, e.g.

    python -m lib.run notebooks/2_3_3_baseline.py --params params/demo.yaml --split 3 --set asformer.epochs=5

It also works alone, from a shell loop, a SLURM array or a Kubernetes Job; the Snakefile only schedules it. The executed
notebook and its manifest appear under outputs/<profile>/notebooks/<name>/ if and only if everything went well.
Exit code 2: the call is wrong and nothing was written; 1: the notebook failed.
"""

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from lib.batch.freshness import manifest_file, mark_unfinished, read_by, read_manifest, reason, stands_on
from lib.batch.requirements import hint, relative, runnable
from lib.batch.running import failed_file
from lib.batch.warm import ADDRESS, PEAK
from lib.core.chapters import CHAPTERS, Atom
from lib.core.command import one_line, profile_parser
from lib.core.files import publish, read_json, revision, write_json, write_text
from lib.core.params import ParameterError, claim
from lib.core.paths import ROOT
from lib.core.processes import clean_environment, die_with_parent, lease_gpu, only_one, short_folder
from lib.data.dataset import DatasetError, check_bundles
from lib.data.profile import Profile, open_profile
from lib.data.video import CONVERT, NOTES

# packages whose versions can change a result
PACKAGES = (
    "jupyterlab", "papermill", "torch", "opencv-python", "faiss-cpu", "transformers", "pytorchvideo", "seaborn",
    "pandas", "jupytext",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("run", "Execute one notebook for one split.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--split", default="all", help="a number, or all (default: %(default)s)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="section.key=value")
    parser.add_argument("--log", type=Path, help="write all output to this file, as make report does")
    options = parser.parse_args(arguments)
    if "REPORT_SCHEDULED" in os.environ:
        die_with_parent()
    if options.log:
        options.log.parent.mkdir(parents=True, exist_ok=True)
        with options.log.open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
    code = run(options.notebook, options.split, options.params, options.overrides, once=bool(options.log))
    if code and options.log:
        failed_file(options.log).touch()
    return code


@one_line
def run(notebook: Path, split: str, params: str, overrides: list[str], once: bool) -> int:
    """Check the call, then execute it. `once`: skip it if another process has made the same result meanwhile."""
    profile = open_profile(params, overrides)
    atom = (check(notebook, split, profile), split)
    claim(profile.out, profile.file)
    with only_one(profile.out.notebooks / atom[0] / f".{split}.lock"), lease_gpu():
        reads, after = read_by(atom[0], profile), stands_on(atom, profile)
        kept = read_manifest(profile.out, atom)
        if once and not reason(kept, reads, {}) and kept and kept["after"] == after:
            print("fresh: another process has made it")
            return 0
        return execute(atom, profile, overrides, reads | {"after": after})


def check(notebook: Path, split: str, profile: Profile) -> str:
    """Return the notebook's name, if it runs in this profile, for this split, on this machine.

    Raises ParameterError: it does not.
    """
    name = notebook.stem
    if name not in CHAPTERS or not (ROOT / "notebooks" / f"{name}.py").exists():
        raise ParameterError(f"{notebook}: no such notebook; expected one of {', '.join(CHAPTERS)}")
    if name not in profile.params.notebooks:
        known = ", ".join(profile.params.notebooks)
        raise ParameterError(f"{notebook}: not a chapter of {profile.file}, whose key `notebooks` lists {known}")
    if split != "all" and not CHAPTERS[name].per_split:
        raise ParameterError(f"{notebook}: has no splits; leave --split out")
    if split not in (*map(str, profile.params.data.split_numbers), "all"):
        raise ParameterError(f"--split {split}: {profile.file} has splits 1 to {profile.params.data.splits}, and all")
    if reason := runnable(profile)[name]:
        raise ParameterError(f"{name}: {reason}; {hint(profile.file)}")
    if profile.params.data.source == "files" and not CHAPTERS[name].about:
        try:
            check_bundles(profile.root / "splits", profile.params.data.splits)
        except DatasetError as error:
            raise ParameterError(f"{name}: {error}") from None
    return name


def execute(atom: Atom, profile: Profile, overrides: list[str], reads: dict) -> int:
    """Run the notebook in a kernel of this Python; write it and its manifest, or the notebook up to the error."""
    name, split = atom
    where = f"{name} split {split}" if split != "all" else name
    folder, started = profile.out.notebooks / name, time.time()
    running, failed = folder / f".{split}.running.ipynb", folder / f"{split}.failed.ipynb"
    mark_unfinished(profile.out, atom)
    try:
        parameters = {"params": profile.file, "split": split, "overrides": overrides}
        error, memory = run_kernel(name, running, parameters, where)
        if error:
            if running.exists():
                content = read_json(running)
                content["metadata"]["error"] = error  # a kernel that dies leaves none in it
                write_text(failed, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
                print(f"the notebook up to the error: {relative(failed)}", file=sys.stderr)
            print(f"error: {where}: {error}", file=sys.stderr)
            return 1
        publish(running, folder / f"{split}.ipynb")
    finally:
        running.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    made = {
        "notebook": name,
        "split": split,
        "profile": profile.out.profile,
        "overrides": overrides,
        "revision": revision(),
        "versions": {package: version(package) for package in PACKAGES},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
        "peak_memory_mb": memory,
    }
    write_json(manifest_file(profile.out, atom), made | reads)
    return 0


def run_kernel(name: str, running: Path, parameters: dict, where: str) -> tuple[str, int]:
    """Execute a notebook cell by cell into `running`.

    Returns the error in one line, or ""; and the peak memory, in MB, of the kernel or a process that it started,
    whichever is largest.
    """
    with tempfile.TemporaryDirectory(dir=short_folder()) as temporary:
        # the kernel inherits the environment, in which a temporary folder replaces the user's settings
        folders = {"IPYTHONDIR": f"{temporary}/ipython", "JUPYTER_DATA_DIR": f"{temporary}/jupyter", NOTES: temporary}
        environment = clean_environment() | folders | {"REPORT_ATOM": where, PEAK: f"{temporary}/peak"}
        os.environ.clear()
        os.environ.update(environment)
        error = run_cells(name, running, parameters, Path(temporary))
        peak = Path(os.environ[PEAK])
        kilobytes = int(peak.read_text()) if peak.exists() else getrusage(RUSAGE_CHILDREN).ru_maxrss
    return error, kilobytes // 1024


def run_cells(name: str, running: Path, parameters: dict, temporary: Path) -> str:
    """Execute a notebook as `run_kernel` does, in this environment; returns the error."""
    kernel = write_kernel(temporary)
    # only now: Jupyter asks for a home directory when it is imported
    import jupytext
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    try:
        papermill.execute_notebook(
            jupytext.read(ROOT / "notebooks" / f"{name}.py"),
            # papermill fills parameters into {}
            str(running).replace("{", "{{").replace("}", "}}"),
            parameters=parameters,
            cwd=str(ROOT),
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            # no open ports
            config=Config({"KernelManager": {"transport": "ipc", "ip": str(temporary / "kernel")}}),
            stderr_file=sys.stderr,
        )
    except PapermillExecutionError as error:
        # a process that the notebook has started may have died, too
        broken = decoding(temporary) if error.ename == "BrokenProcessPool" else ""
        return " ".join(f"{error.ename}: {error.evalue}{broken}".split())
    except DeadKernelError:
        return f"its kernel died{decoding(temporary) or ' (out of memory?)'}"
    return ""


def decoding(folder: Path) -> str:
    """Name the videos that processes were decoding when they died, from the notes they left in a folder; "" if none."""
    videos = [relative(Path(os.fsdecode(note.read_bytes()))) for note in sorted(folder.glob("*.decoding"))]
    why = f"out of memory, or OpenCV's decoder crashed on it; if so, {CONVERT}"
    return f" as it decoded {', '.join(videos)} ({why})" if videos else ""


def write_kernel(temporary: Path) -> str:
    """Write a kernel that is a fork if this process is one (lib.batch.warm); returns the kernel's name."""
    if ADDRESS not in os.environ:
        return "python3"
    words = [sys.executable, "-m", "lib.batch.warm", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": words, "display_name": "Python 3", "language": "python"}
    write_json(temporary / "jupyter" / "kernels" / "warm" / "kernel.json", about)
    return "warm"


if __name__ == "__main__":
    sys.exit(main())
