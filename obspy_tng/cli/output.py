"""Files written whole or not at all, and results told to whoever still listens."""

import os
import sys
from pathlib import Path

import click

from obspy_tng.errors import WriteError
from obspy_tng.writing import whole


def tell(text):
    """Print a result. A pipe that nobody reads any more (``| head -1``) is no error: what is left to do is done.

    Raises
    ------
    WriteError
        Standard output takes no more for another reason, such as a full disk.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as err:
        raise WriteError(f"standard output cannot be written: {err.strerror}") from err


def replace(path, write):
    """Call `write` with the name of a hidden file of the same suffix, which then becomes `path`.

    Raises
    ------
    WriteError
        The file cannot be written; the message names it as the user did.
    """
    with whole(path) as part:
        write(str(part))


def write_netcdf(path, dataset):
    """Write a Dataset as netCDF (h5netcdf), made in memory first.

    HDF5 that cannot write to its file, as on a full disk, ends the process with a segmentation fault; bytes that
    cannot be written are an OSError.
    """
    from io import BytesIO

    import h5netcdf
    from xarray.backends import H5NetCDFStore

    held = BytesIO()
    with h5netcdf.File(held, "w") as file:
        dataset.dump_to_store(H5NetCDFStore(file))
    Path(path).write_bytes(held.getbuffer())
