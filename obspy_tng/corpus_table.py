"""The table of a corpus, kept small: a million rows of dicts would take gigabytes."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from obspy_tng.errors import FormatError


class Rows(Sequence):
    """Rows of a CSV file as dicts of strings, made when they are asked for.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FormatError
        It is no text, or a row has more or fewer fields than the header.
    """

    def __init__(self, path: Path) -> None:
        self.names: list[str] = []
        self._rows: list[tuple[str, ...]] = []
        with path.open(newline="", encoding="utf-8") as file:
            try:
                lines = (row for row in csv.reader(file) if row)
                self.names = next(lines, [])
                for row in lines:
                    if len(row) != len(self.names):
                        number = len(self._rows) + 1
                        raise FormatError(f"{path} is damaged: row {number} has more or fewer fields than the header")
                    self._rows.append(tuple(map(sys.intern, row)))  # values that many rows share are kept once
            except FormatError:
                raise
            except (csv.Error, ValueError) as err:
                raise FormatError(f"{path} is no table of text: {err}") from err

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [dict(zip(self.names, row, strict=True)) for row in self._rows[i]]
        return dict(zip(self.names, self._rows[i], strict=True))

    def column(self, name: str) -> list[str]:
        """Return the values of a column, empty strings where the table has none of that name."""
        if name not in self.names:
            return [""] * len(self)
        k = self.names.index(name)
        return [row[k] for row in self._rows]
