"""Files written whole or not at all."""

import os
from pathlib import Path

from obspy_tng.errors import TNGError


def replace(path, write):
    """Write under a temporary name of the same suffix beside the target, then rename.

    Raises
    ------
    TNGError
        The file cannot be written; the message names it as the user did.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        write(str(partial))
        os.replace(partial, path)
    except OSError as err:
        reason = err.strerror or (str(err).strip() or type(err).__name__).splitlines()[0]
        raise TNGError(f"{path} cannot be written: {reason}") from err
    finally:
        partial.unlink(missing_ok=True)


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
