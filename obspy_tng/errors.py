"""The errors users see: one parent, a few children, each message says what was given and what is accepted."""


class TNGError(Exception):
    """Parent of every error obspy-tng raises on purpose."""


class FormatError(TNGError, ValueError):
    """A file is not what its name or header promises (truncated, wrong counts, foreign content)."""


class RecordError(TNGError, ValueError):
    """A waveform cannot become a three-component record (dead, gappy, unequal, unknown units)."""


class ModelError(TNGError, ValueError):
    """Weights, checkpoint or pool do not fit the model, or are damaged."""


class WriteError(TNGError, OSError):
    """A file or folder cannot be written: no room, no permission, no such place."""


class StationError(TNGError, KeyError):
    """No pool is known for the station asked for."""

    def __str__(self):
        """Return the message itself: KeyError would print its repr, quotes and all."""
        return str(self.args[0]) if self.args else ""
