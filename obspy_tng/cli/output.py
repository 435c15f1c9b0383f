"""Files written whole or not at all."""

import os
from pathlib import Path


def replace(path, write):
    """Write under a temporary name of the same suffix beside the target, then rename."""
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        write(str(partial))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
