"""`make lab`: JupyterLab in the project's folder, opened on a page with the state of each notebook.

    python -m lib.lab --params params/demo.yaml

JupyterLab keeps its own files (settings, open tabs) in `.jupyter/`; the start page is `outputs/start.md`.
Further options are passed to JupyterLab, e.g. `--port 9000`, `--no-browser`.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.batch.plan import Planned, duration, plan
from lib.batch.requirements import unable, without
from lib.core.chapters import TITLES
from lib.core.command import one_line, profile_parser
from lib.core.files import read_json, write_json, write_text
from lib.core.paths import ROOT, Outputs
from lib.core.processes import clean_environment
from lib.data.profile import Profile, open_profile

START = ROOT / "outputs" / "start.md"
HOME = ROOT / ".jupyter"
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {
        "defaultViewers": {"python": "Jupytext Notebook", "markdown": "Markdown Preview"}
    },
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WORST_FIRST = ("failed", "not run", "stale", "fresh")


# Like `python -m jupyterlab`, but without Python's wait for all threads at exit: a thread that reads a file when the
# server has to stop never learns of it (AnyIO ends a thread with its request; the server leaves requests unfinished).
SERVER = "import os; from jupyterlab.labapp import main; main(); os._exit(0)"


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("lab", "JupyterLab on the project's notebooks.")
    options, further = parser.parse_known_args(arguments)
    profile = open_profile(options.params)
    left_out = unable(profile)
    write_text(START, start_page(profile, plan(without(profile, left_out)), left_out))
    pair()
    write_json(HOME / "labconfig" / "default_setting_overrides.json", SETTINGS)
    command = [sys.executable, "-c", SERVER, f"--ServerApp.root_dir={ROOT}"]
    command += [f"--LabApp.default_url=/lab/tree/{START.relative_to(ROOT)}"]
    command += [f"--LabApp.workspaces_dir={HOME / 'workspaces'}", *further]
    environment = clean_environment() | {
        "JUPYTER_CONFIG_PATH": str(HOME),
        "IPYTHONDIR": str(HOME / "ipython"),
        "PYTHONPATH": str(ROOT),
    }
    del environment["JUPYTER_NO_CONFIG"]
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


def pair() -> None:
    """Put an .ipynb beside each notebook that has none; it names the kernel and stores outputs."""
    import jupytext
    from ipykernel.ipkernel import IPythonKernel

    # everything that a kernel reports about itself when it starts: a notebook that lacks any of it opens as changed
    about = {"kernelspec": KERNEL, "language_info": IPythonKernel.language_info}
    for source in sorted((ROOT / "notebooks").glob("*.py")):
        if not (pair := source.with_suffix(".ipynb")).exists():
            notebook = jupytext.read(source)
            notebook.metadata.update(about)
            write_text(pair, jupytext.writes(notebook, fmt="ipynb"))


def start_page(profile: Profile, steps: Sequence[Planned], left_out: Mapping[str, str]) -> str:
    """Write the start page in Markdown, with links relative to its folder."""
    rows = ["| notebook | state | made | took | result |", "|---|---|---|---|---|"]
    for name in profile.params.notebooks:
        own = [step for step in steps if step.atom[0] == name]
        notebook = f"[{TITLES[name]}](../notebooks/{name}.py)"
        rows.append(f"| {notebook} | {' | '.join(_row(name, own, profile.out, left_out))} |")
    return f"""# {profile.params.title}

Click a notebook to open it; "Run All Cells" in the menu Run runs it. Finished trainings and extracted features are
reused, so a second run is short. The second cell names the profile: `params/demo.yaml`, unless you change it.

{chr(10).join(rows)}

The state is that of profile `{profile.out.profile}` when this page was made; `make report PARAMS={profile.file}` would
run what is not fresh. The parameters, code or data of a stale notebook have changed since it ran.
"""


def _row(name: str, own: Sequence[Planned], out: Outputs, left_out: Mapping[str, str]) -> tuple[str, str, str, str]:
    """A notebook's row: state, date, duration, and a link to the executed notebook."""
    if name in left_out:
        return f"left out: {left_out[name]}", "", "", ""
    state = min((step.state for step in own), key=WORST_FIRST.index)
    reasons = dict.fromkeys(step.reason for step in own if step.state == state != "not run")
    shown = f"**{state}** {'; '.join(filter(None, reasons)).removeprefix('failed: ')}".replace("|", "\\|")
    folder = Path("..") / out.notebooks.relative_to(ROOT) / name
    failed = next((step.atom[1] for step in own if step.state == "failed"), None)
    broken = f"[up to the error]({folder}/{failed}.failed.ipynb)" if failed else ""
    whole = out.notebooks / name / "all.json"
    if not whole.exists():
        return shown, "", "", broken
    manifests = [read_json(file) for file in whole.parent.glob("[!.]*.json")]
    made = max(manifest["finished"] for manifest in manifests)[:16].replace("T", " ")
    took = duration(sum(manifest["seconds"] for manifest in manifests))
    return shown, f"{made} UTC", took, broken or f"[as executed]({folder}/all.ipynb)"


if __name__ == "__main__":
    sys.exit(main())
