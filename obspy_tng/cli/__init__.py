"""The ``obspy-tng`` command: a lazy click group, one module per command, imported when it is called."""

import importlib

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
    """Run the command line; an error of ours becomes one line on stderr and exit code 1."""
    from obspy_tng.errors import TNGError

    try:
        group()
    except TNGError as err:
        click.echo(f"Error: {err}", err=True)
        raise SystemExit(1) from None
    except OSError as err:
        click.echo(f"Error: {err}", err=True)
        raise SystemExit(1) from None
