"""Python's NaN in a file of JSON, which no other parser takes, replaced as the file is read (lib/narrated.py)."""

import re
from typing import BinaryIO


class WithoutNaN:
    """A file of JSON in which NaN is null; for ijson, which reads a piece at a time."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Some bytes, none at the end only. What is behind the last comma waits: it may hold half a NaN."""
        ready = b""
        while not ready and (data := self._file.read(size)):
            text = self._rest + data
            if b"NaN" in text:
                text = re.sub(rb"([\[,]\s*)NaN(?=\s*[,\]])", rb"\1null", text)
            cut = max(text.rfind(b","), 0)
            ready, self._rest = text[:cut], text[cut:]
        if not ready:
            ready, self._rest = self._rest, b""
        return ready
