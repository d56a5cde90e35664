"""What all commands share: their options, and errors as one line and an exit code, never a traceback."""

import argparse
import sys
from collections.abc import Callable
from functools import wraps

LONGEST = 2000  # characters of a message


def line(error: BaseException) -> str:
    """An error's message as one printable line.

    >>> line(ValueError("a.yaml:\\n  \\x1b[31mred"))
    'a.yaml: \\\\x1b[31mred'
    """
    text = " ".join(str(error).split())
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[:LONGEST])


def profile_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the option that all commands share, the profile."""
    found = argparse.ArgumentParser(prog=f"python -m lib.{command}", description=description)
    found.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    return found


def one_line(command: Callable[..., int], code: int = 2) -> Callable[..., int]:
    """Make a command end with `error: ...` on stderr and exit code `code` for the project's own errors.

    A missing file ends it the same way. Other system errors (a full disk, a read-only folder) end with 1, Ctrl-C with
    130. Anything else is a bug and shows its traceback.
    """

    @wraps(command)
    def framed(*arguments, **options) -> int:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            # a terminal has echoed ^C on this line
            print("\r\x1b[K" * sys.stderr.isatty() + "interrupted", file=sys.stderr)
            return 130
        except Exception as error:
            ours = type(error).__module__.startswith("lib.") or isinstance(error, FileNotFoundError)
            if not ours and not isinstance(error, OSError):
                raise
            print(f"error: {line(error)}", file=sys.stderr)
            return code if ours else 1

    return framed
