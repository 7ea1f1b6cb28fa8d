"""The ``pamtri`` command: one table of subcommands, each loaded only when it is called."""

from __future__ import annotations

import importlib
import sys

import click

import pamtri
from pamtri.checkout import ROOT, strangers
from pamtri.errors import UserError

# name: (where the click command is, its line in the overview)
COMMANDS: dict[str, tuple[str, str]] = {
    "synth": ("synth.cli:synth", "Render labelled vehicles, preview what is rendered."),
    "assets": ("synth.assets_cli:assets", "Preview, export, import and check vehicles."),
    "train": ("train.cli:train", "Train a pose or a re-identification network."),
    "predict": ("train.cli:predict", "Run a trained network over a data set or folder."),
    "export": ("train.cli:export", "Write a trained network as an ONNX file."),
    "embed": ("train.retrieval_cli:embed", "Write features of images for other programs."),
    "search": ("train.retrieval_cli:search", "Find the images that look most like one."),
    "map": ("evaluate.map_cli:draw_map", "Draw features as a map on which like lies by like."),
    "import-checkpoint": (
        "train.cli:import_checkpoint",
        "Take over a checkpoint of PAMTRI or HRNet.",
    ),
    "evaluate": ("evaluate.cli:evaluate", "Score predictions against labels."),
    "compare": ("evaluate.cli:compare", "Real-only against augmented training, as a report."),
    "ablate": ("evaluate.cli:ablate", "What each factor of randomisation is worth."),
    "dataset": ("pamtri.dataset_cli:dataset", "Inspect, check and convert data sets."),
    "quickstart": ("evaluate.cli:quickstart", "The whole road in minutes: render to report."),
    "doctor": ("pamtri.doctor:doctor", "What works on this machine, and what to do if not."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when the subcommand is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one subcommand."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pamtri.__version__, prog_name="pamtri")
def cli() -> None:
    """Render labelled vehicles, train pose-aware re-identification, compare real with augmented.

    \b
    Examples:
      pamtri doctor
      pamtri synth render configs/synth/quickstart.yaml --output runs/synthetic
      pamtri compare configs/compare/quickstart.yaml --output runs/compare
    """


def main() -> None:
    """Run the command; a user's error ends in one sentence and exit status 1."""
    _refuse_strangers()
    try:
        cli(prog_name="pamtri")
    except UserError as error:
        click.echo(f"pamtri: {error}", err=True)
        sys.exit(1)


def _refuse_strangers() -> None:
    """``train`` and ``evaluate`` are also names on PyPI: use only the ones of this checkout."""
    for name, folder in strangers().items():
        click.echo(
            f"pamtri: package '{name}' comes from {folder}, expected {ROOT}; "
            "use the project's own environment (.venv/bin/pamtri)",
            err=True,
        )
        sys.exit(1)
