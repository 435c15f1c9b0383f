"""The ``obspy-tng`` command: a lazy click group, one module per command, imported when it is called."""

import contextlib
import importlib
import os
import signal

import click

# name -> (module, one-line help). The help stands here so that ``--help`` imports no command.
COMMANDS = {
    "corpus": ("corpus", "Build and inspect training corpora (SeisBench layout)."),
    "evaluate": ("evaluate", "Measure how well generated records stand for real ones."),
    "generate": ("generate", "Generate three-component accelerograms for a site."),
    "hvsr": ("hvsr", "Tell f0 and the HVSR curve of sites from real records."),
    "info": ("info", "Print versions and the shipped model cards."),
    "pool": ("pool", "Build, inspect and retarget station pools."),
    "stations": ("stations", "List the stations that can be generated."),
    "train": ("train", "Train TimesNet-Gen on a corpus."),
}


class LazyGroup(click.Group):
    """A click group that imports a command's module only when that command runs."""

    def list_commands(self, ctx):
        """Return the command names in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx, name):
        """Import and return one command, or None when there is none of that name."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"obspy_tng.cli.{COMMANDS[name][0]}")
        return getattr(module, name)

    def format_commands(self, ctx, formatter):
        """Write the list of commands from the table above, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="obspy-tng")
def group():
    """Site-specific strong motion and site analysis on ObsPy Streams."""


def main():
    """Run the command line; an error of ours becomes one line on stderr and exit code 1.

    Usage errors exit with 2, Ctrl-C with 130, SIGTERM with 143; all of them after temporary files are gone.
    """
    from obspy_tng.errors import TNGError

    if "TORCHELASTIC_RUN_ID" not in os.environ:  # torchrun's must end at once, even inside a call that waits for others
        signal.signal(signal.SIGTERM, _terminate)
    try:
        code = group.main(standalone_mode=False)
    except click.ClickException as err:
        err.show()
        code = err.exit_code
    except click.Abort:
        code = _say("interrupted", 130)
    except _TerminatedError:
        code = _say("terminated", 143)
    except (TNGError, OSError) as err:
        code = _say(err, 1)
    raise SystemExit(code if isinstance(code, int) else 0)


class _TerminatedError(BaseException):
    """SIGTERM came: an exception, so that what is under way is cleaned up; no Exception, so that nobody goes on."""


def _terminate(*_):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends at once
    raise _TerminatedError


def _say(message, code: int) -> int:
    with contextlib.suppress(OSError):  # nobody may be there to be told
        click.echo(f"Error: {message}", err=True)
    return code
