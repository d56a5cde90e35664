"""Files that a notebook opens, one per line: python -m tests.reads NOTEBOOK PROFILE runs it in this process.

What compiled libraries open by themselves is not seen.
"""

import os
import sys

import jupytext
from IPython.core.interactiveshell import InteractiveShell

from lib.core.paths import ROOT


def main(name: str, profile: str) -> None:
    opened: set[str] = set()

    def note(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str | os.PathLike) and "w" not in str(arguments[1]):
            opened.add(os.path.abspath(arguments[0]))

    shell = InteractiveShell.instance()
    sys.addaudithook(note)
    for cell in jupytext.read(ROOT / "notebooks" / f"{name}.py").cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source).raise_error()
            if "parameters" in cell.metadata.get("tags", []):
                shell.user_ns["params"] = profile
    print("\n".join(["", *sorted(opened)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
