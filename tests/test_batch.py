"""A report in which a split fails: its plan and progress, its pages, its export, and JupyterLab's start page on it."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from report_runs import planned, start
from test_schedule import small_data_set, write_profile

import lib.export
from lib.batch.failures import failures
from lib.core.params import load
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile
from lib.site.pages import page

NAME, AUDIT = "2_3_1_public_features", "4_1_audit"
SPLITS = 3


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A profile whose splits are jobs, and what `make report` does with it: (exit code, what it said)."""
    folder = tmp_path_factory.mktemp("batch")
    small_data_set(folder / "data", SPLITS)
    profile = folder / f"batch_{os.getpid()}.yaml"
    write_profile(profile, folder / "data", split_jobs=True, splits=SPLITS, notebooks=[NAME, AUDIT])
    outputs = Outputs(profile.stem)

    def make(*options: str) -> tuple[int, str]:
        process = start(profile, *options)
        said, _ = process.communicate(timeout=1800)
        return process.returncode, said

    yield profile, outputs, make
    shutil.rmtree(outputs.root, ignore_errors=True)


@pytest.fixture(scope="module")
def broken(report):
    """Made while a file lies where split 3 is to write its predictions."""
    _, outputs, make = report
    in_the_way = outputs.predictions("asformer_public", 3)
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("not a folder\n")
    return *report[:2], *make("--keep-going")


@pytest.fixture(scope="module")
def corrected(report, broken):
    """Made again without that file; and the failed notebook of before."""
    _, outputs, make = report
    kept = (outputs.notebooks / NAME / "3.failed.ipynb").read_bytes()
    outputs.predictions("asformer_public", 3).unlink()
    return *report[:2], *make("--keep-going"), kept


def test_a_failed_split_leaves_the_others(broken):
    _, outputs, code, _ = broken
    assert code != 0
    made = {file.stem for file in (outputs.notebooks / NAME).glob("[!.]*.json")}
    assert made == {"1", "2"}
    assert (outputs.notebooks / AUDIT / "all.json").exists() and (outputs.report / f"{AUDIT}.html").exists()


def test_plan_progress_and_end_are_said(broken):
    _, outputs, _, said = broken
    for split in range(1, SPLITS + 1):
        assert f"to run: 2.3.1 Training on public features, split {split}: not run yet" in said
    assert re.search("^plan: 5 of 5 to run$", said, re.MULTILINE)
    assert len(re.findall(r"^\[[\d:]{8} \d/5\] started ", said, re.MULTILINE)) == 4
    assert len(re.findall(r"^\[[\d:]{8} \d/5\] done ", said, re.MULTILINE)) == 3
    assert re.search(r"^\[[\d:]{8} \d/5\] FAILED  2\.3\.1 .*, split 3 after .* elapsed$", said, re.MULTILINE)
    end = said[said.index("failed: 2.3.1, split 3: FileExistsError: ") :]
    failed = outputs.notebooks / NAME / "3.failed.ipynb"
    assert f"up to the error: {failed.relative_to(ROOT)}" in end
    assert f"the report: {(outputs.report / 'index.html').relative_to(ROOT)}" in end


def test_the_failure_is_named_on_its_page_and_the_first(broken):
    _, outputs, _, _ = broken
    shown, first = ((outputs.report / f"{name}.html").read_text() for name in (NAME, "index"))
    for text in (shown, first):
        assert "2.3.1, split 3: FileExistsError" in text
    assert "os.mkdir" in shown, "the last lines of the error"
    assert all(f">Split {split}<" in shown for split in (1, 2)), "the splits that are done"
    assert "Below are the splits that are done: 1, 2." in shown and ">Split 3<" not in shown


def test_a_dry_run_says_the_plan_and_stops(report, broken):
    _, outputs, make = report
    before = {file: file.stat().st_mtime_ns for file in outputs.notebooks.rglob("[!.]*")}
    code, said = make("--dry-run")
    assert code == 0
    assert "to run: 2.3.1 Training on public features, split 3: failed: FileExistsError" in said
    assert re.search(r"fresh: 2\.3\.1, split 1; 2\.3\.1, split 2; 4\.1$", said, re.M)
    assert "plan: 2 of 5 to run" in said and "started" not in said
    assert {file: file.stat().st_mtime_ns for file in outputs.notebooks.rglob("[!.]*")} == before


def test_only_what_failed_runs_again(corrected):
    _, outputs, code, said, _ = corrected
    assert code == 0, said
    started = re.findall(r"started (.*)$", said, re.MULTILINE)
    assert started == ["2.3.1 Training on public features, split 3", "2.3.1 Training on public features"]
    shown, first = ((outputs.report / f"{name}.html").read_text() for name in (NAME, "index"))
    assert "Table 1" in shown and "FileExistsError" not in shown + first
    assert not list(outputs.notebooks.rglob("*.failed.ipynb"))


def test_a_later_failure_shows_the_older_page_and_runs_again(corrected):
    profile, outputs, _, _, kept = corrected
    failed = outputs.notebooks / NAME / "3.failed.ipynb"
    failed.write_bytes(kept)
    found = failures(Profile(load(profile), outputs))
    assert [failure.atom for failure in found] == [(NAME, "3")]
    shown = page(NAME, outputs, found)
    assert shown is not None
    notice = shown.cells[1].outputs[0]["data"]["text/html"]
    assert re.search(r"last whole page, older than this failure: made \d{4}-\d\d-\d\d \d\d:\d\d UTC", notice)
    assert any("Table 1" in str(cell.get("outputs")) for cell in shown.cells)
    assert re.search(r", split 3 \(.*\): failed: FileExistsError", planned(profile)[0])
    failed.unlink()


def test_what_was_made_by_hand_with_other_parameters_is_made_again(corrected):
    """As in JupyterLab: the kernel works in notebooks/, and a cell names overrides."""
    profile, outputs, _, _, _ = corrected
    manifest = outputs.notebooks / AUDIT / "all.json"
    before = manifest.read_bytes()
    code = (
        f'from lib.notebook.notebook import open_notebook\nopen_notebook("{AUDIT}", "{profile}", "all", ["data.fps=2"])'
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    environment = {name: value for name, value in os.environ.items() if name != "REPORT_ATOM"}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "notebooks")}})
    client.execute(env=environment | {"PYTHONPATH": str(ROOT)})
    assert json.loads(manifest.read_bytes())["overrides"] == ["data.fps=2"]
    assert re.search(r"to run: 4\.1 An audit .* \(.*\): was made by hand with other parameters", planned(profile)[0])
    manifest.write_bytes(before)


@pytest.fixture
def export(monkeypatch, capsys):
    """Exports a profile: exit code, and what it said on stderr."""

    def call(profile: Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["export", "--params", str(profile)])
        return lib.export.main(), capsys.readouterr().err

    return call


def test_without_a_browser_the_html_files_are_made_and_the_pdf_is_missed(corrected, export, tmp_path, monkeypatch):
    profile, outputs, *_ = corrected
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = export(profile)
    assert code == 1
    assert re.fullmatch(r"error: no outputs/\S+/export/report\.pdf: no Chromium or Chrome .*\n", said)
    assert {file.name for file in (outputs.root / "export").iterdir()} == {f"{NAME}.html", f"{AUDIT}.html"}


def test_nothing_to_export_is_one_line(report, export, tmp_path):
    profile = tmp_path / f"nothing_{os.getpid()}.yaml"
    shutil.copy(report[0], profile)
    code, said = export(profile)
    shutil.rmtree(Outputs(profile.stem).root, ignore_errors=True)
    assert code == 2
    assert re.fullmatch(r"error: \S+: no executed notebook; run `make report` first\n", said)


def test_exported_files_need_nothing_and_the_pdf_has_every_chapter(corrected, export, browser):
    profile, outputs, *_ = corrected
    assert export(profile) == (0, "")
    asked, errors = [], []
    shown = browser.new_page()
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    for name in (NAME, AUDIT):
        file = outputs.root / "export" / f"{name}.html"
        asked.clear()
        shown.goto(file.as_uri())
        widths = shown.evaluate("[...document.images].map(image => image.naturalWidth)")
        assert widths and all(width > 0 for width in widths)
        assert "book.say" not in shown.inner_text("main"), "what only makes sentences is no reading matter"
        assert [url for url in asked if not url.startswith(("data:", "blob:", file.as_uri()))] == []
    shown.close()
    assert errors == []
    printed = (outputs.root / "export" / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    outline = re.findall(rb"/Title\s*\(([^)]*)\)", printed)
    for chapter in (b"2.3.1 Training on public features", b"4.1 An audit of the thesis's numbers"):
        assert chapter in outline, "a bookmark of the chapter's heading"


@pytest.fixture(scope="module")
def lab_server(corrected, tmp_path_factory):
    """JupyterLab as `make lab` starts it, without a browser and a token: its address and process."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lib.lab", "--params", str(corrected[0]), "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    log = tmp_path_factory.mktemp("lab") / "lab.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/api", timeout=60)
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield f"http://localhost:{port}", server
    finally:
        server.terminate()
        server.wait(60)


def asked(address: str) -> dict:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def test_jupyterlab_begins_with_the_notebooks_and_their_state(lab_server):
    started = asked(f"{lab_server[0]}/api/contents/outputs/start.md?type=file")["content"]
    for name in (NAME, AUDIT):
        assert re.search(rf"^\| \[.*\]\(\.\./notebooks/{name}\.py\) \| \*\*fresh\*\* ", started, re.MULTILINE)
        notebook = asked(f"{lab_server[0]}/api/contents/notebooks/{name}.py")
        assert notebook["type"] == "notebook" and len(notebook["content"]["cells"]) > 5
        assert notebook["content"]["metadata"]["kernelspec"]["name"] == "python3"
    viewers = asked(f"{lab_server[0]}/lab/api/settings/@jupyterlab/docmanager-extension:plugin")["schema"]["properties"]
    assert viewers["defaultViewers"]["default"]["python"] == "Jupytext Notebook"


def test_saving_in_jupyterlab_leaves_a_notebook_as_it_is(lab_server):
    """Otherwise it would be another file, and everything that depends on it stale."""
    source = ROOT / "notebooks" / f"{AUDIT}.py"
    before = source.read_bytes()
    model = asked(f"{lab_server[0]}/api/contents/notebooks/{AUDIT}.py")
    body = json.dumps({"type": "notebook", "format": "json", "content": model["content"]}).encode()
    request = urllib.request.Request(f"{lab_server[0]}/api/contents/notebooks/{AUDIT}.py", data=body, method="PUT")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    assert source.read_bytes() == before


def test_a_click_on_the_start_page_opens_a_notebook(lab_server, browser):
    shown = browser.new_page()
    shown.set_default_timeout(120_000)
    shown.goto(lab_server[0])
    shown.click(".jp-MarkdownViewer a:has-text('4.1 An audit')")
    shown.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", state="attached")
    kernel = ".jp-NotebookPanel .jp-Toolbar-kernelName:has-text('Python 3')"
    shown.wait_for_selector(kernel, state="attached")  # a narrow toolbar hides it
    assert shown.locator(".jp-Dialog").count() == 0, "no question for a kernel"
    shown.close()


def test_jupyterlab_ends_while_it_reads(lab_server):
    """Last, as it ends the server. Python would wait forever for the threads that were reading then."""
    address, server = lab_server

    def read():
        with contextlib.suppress(OSError, HTTPException):  # the server is gone
            while True:
                asked(f"{address}/api/contents/notebooks/{AUDIT}.py")

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    time.sleep(1)
    assert all(reader.is_alive() for reader in readers)
    server.terminate()
    try:
        assert server.wait(60) == 0
    finally:
        server.kill()
        for reader in readers:
            reader.join()
