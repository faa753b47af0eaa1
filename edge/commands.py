"""The technician's commands of an installed gate: setup, health, backup, restore, bundles, the simulated site."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Command = Callable[[argparse.Namespace], int]
CONFIG = Path("/etc/barie/gate.toml")


def add_to(commands: Commands) -> None:
    """Every command of this module, on the command line of edge.cli."""
    setup = _add(
        commands, "setup", "ask the few questions of a site, write its config and keys, end with doctor", _setup
    )
    setup.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"where to write it ({CONFIG})")
    setup.add_argument("--answers", type=Path, default=None, metavar="FILE", help="the answers as TOML, nothing asked")
    setup.add_argument("--force", action="store_true", help="a config that is there is kept as .before")
    setup.add_argument("--no-doctor", action="store_true")
    health = _add(commands, "health", "whether this version runs; the package asks it after an upgrade", _health)
    health.add_argument("--config", type=Path, default=None, metavar="FILE")
    health.add_argument("--trial", action="store_true", help="start the agent in a world of its own")
    health.add_argument("--within", type=float, default=60.0, metavar="SECONDS")


def _add(commands: Commands, name: str, help_text: str, command: Command) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(command=command)
    return added


def _setup(args: argparse.Namespace) -> int:
    from edge.technician.setup import run

    return run(args.config, args.answers, force=args.force, doctor=not args.no_doctor)


def _health(args: argparse.Namespace) -> int:
    from edge.technician.health import run

    return run(args.config, trial=args.trial, within_s=args.within)
