"""Look through HDF5 files; run as a script, so that a file which makes the HDF5 library crash ends that process only.

Prints a JSON list per file: ["ok"], or ["refused", why]. Imports nothing of the package.
"""

import json
import os
import sys

MEMORY_BYTES = 2 * 10**9  # of address space beyond what the libraries take
PER_BYTE = 4  # bytes a dataset above the limit may state for each that it holds; packed codes and samples hold 1 to 2
_READ_BYTES = 5 * 10**7  # a dataset up to this size is read as a trial; of a larger one only the index


def look(path, limit_bytes):
    """Raise ValueError (OSError, KeyError … from h5py) unless a file can be read safely, dataset by dataset.

    Refused are links to elsewhere in the file or in other files, datasets that lie in other files, and those that
    state more than `limit_bytes`, unless the file holds that much: unwritten chunks take no room, and packed zeros
    hardly any.
    """
    import h5py

    size = os.path.getsize(path)

    def visit(group, depth):
        if depth > 8:
            raise ValueError("groups nested deeper than 8")
        _attributes(group)
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{group.name}/{name} is a link to another place, not followed")
            item = group[name]
            if isinstance(item, h5py.Group):
                visit(item, depth + 1)
            elif isinstance(item, h5py.Dataset):
                _dataset(item, limit_bytes, size)

    with h5py.File(path, "r") as file:
        visit(file, 0)


def _attributes(item):
    for name in item.attrs:
        space = item.attrs.get_id(name)
        if space.get_storage_size() > 10**6:
            raise ValueError(f"attribute {name!r} has {space.get_storage_size()} bytes")
        item.attrs[name]


def _dataset(item, limit_bytes, file_bytes):
    _attributes(item)
    if item.is_virtual or item.external:
        raise ValueError(f"dataset {item.name} lies in another file, which is not opened")
    held = min(item.id.get_storage_size(), file_bytes)  # what it says it holds may lie beyond the file's end, too
    if item.size and item.nbytes > max(limit_bytes, PER_BYTE * held):
        raise ValueError(f"dataset {item.name} states {item.nbytes} bytes and holds {held}; accepted: {limit_bytes}")
    if item.chunks:
        largest = 1
        for side in item.chunks:
            largest *= side
        if largest * item.dtype.itemsize > limit_bytes:
            raise ValueError(f"dataset {item.name} has chunks of {largest} elements")
        item.id.get_num_chunks()
    if item.size and (item.nbytes <= _READ_BYTES and (item.chunks or item.dtype.kind == "O")):
        item[()]  # contiguous numbers need no trial: they are copied as they are


def _main(limit_bytes, paths):
    try:
        import resource

        with open("/proc/self/statm", "rb") as file:
            import h5py  # noqa: F401

            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):  # not on Linux: the time limit is left
        pass
    for path in paths:
        try:
            look(path, limit_bytes)
            said = ["ok"]
        except Exception as err:
            said = ["refused", (str(err).strip() or type(err).__name__).splitlines()[0][:200]]
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, whose names are not those of packages
    _main(int(sys.argv[1]), sys.argv[2:])
