"""The help of every command: fits a terminal, and each option says its unit and what it is when left out."""

import re

import click
import pytest
from click.testing import CliRunner

from obspy_tng.cli import group

# what the placeholder of a number says of its unit
UNITS = {
    "N": "a count, or a seed",
    "KM": "kilometres",
    "DEGREES": "degrees",
    "LAT LON": "degrees",
    "LAT LON DEPTH_KM MAG": "degrees, km, magnitude",
    "M": "magnitude",
    "SD": "standard deviations",
    "SHARE": "0 to 1",
    "RATIO": "of amplitudes",
    "RATE": "per step",
    "FMIN FMAX": "Hz, which the text says",
    "SECONDS": "s",
    "GB": "gigabytes",
    "HZ": "Hz",
}


def commands(command, path=()):
    """Yield (words typed, command) of a group and everything below it."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from commands(command.get_command(click.Context(command), name), (*path, name))


ALL = dict(commands(group))
OPTIONS = [
    pytest.param(path, option, id=" ".join((*path, option.opts[0])))
    for path, command in ALL.items()
    for option in command.params
    if isinstance(option, click.Option) and option.name not in ("help", "version")
]


def shown(path, option):
    """Return the words of an option's help as printed, white space made single."""
    return " ".join(option.get_help_record(click.Context(ALL[path]))[1].split())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_fits_80_columns(path):
    """Each line of --help of each command and subcommand has 80 columns at most."""
    answer = CliRunner().invoke(group, [*path, "--help"], prog_name="obspy-tng", terminal_width=80)
    assert answer.exit_code == 0
    assert answer.output.startswith("Usage: obspy-tng")
    assert max(map(len, answer.output.splitlines())) <= 80


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_option_says_its_default(path, option):
    """An option names its default, says that it is off or none, or that it is required."""
    assert re.search(r"\[(.*; )?(default: .+|required)\]", shown(path, option)), shown(path, option)


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_number_says_its_unit(path, option):
    """An option that takes numbers has a placeholder that is a unit or a count, not INTEGER or FLOAT."""
    kinds = option.type.types if isinstance(option.type, click.Tuple) else [option.type]
    numbers = (click.types.IntParamType, click.types.FloatParamType)
    if option.is_flag or not any(isinstance(kind, numbers) for kind in kinds):
        assert not isinstance(option.default, (float, complex)), "a number that click takes for a text"
        return
    assert option.metavar in UNITS, f"{option.opts[0]}: {option.metavar or option.type.name}"
