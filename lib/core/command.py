"""The frame of a command: what its user can correct is one line and an exit code, never a traceback."""

import sys
from collections.abc import Callable
from functools import wraps

LONGEST = 2000  # characters of a message


def line(error: BaseException) -> str:
    """An error's message in a printable line.

    >>> line(ValueError("a.yaml:\\n  \\x1b[31mred"))
    'a.yaml: \\\\x1b[31mred'
    """
    text = " ".join(str(error).split())
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[:LONGEST])


def one_line(command: Callable[..., int], code: int = 2) -> Callable[..., int]:
    """A command that ends with `error: ...` on stderr and exit code `code` for the project's own errors.

    A missing file does too; another error of the system (a full disk, a read-only folder) ends with 1, Ctrl-C with 130.
    Anything else is a fault of the program and shows its traceback.
    """

    @wraps(command)
    def framed(*arguments, **options) -> int:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        except Exception as error:
            ours = type(error).__module__.startswith("lib.") or isinstance(error, FileNotFoundError)
            if not ours and not isinstance(error, OSError):
                raise
            print(f"error: {line(error)}", file=sys.stderr)
            return code if ours else 1

    return framed
