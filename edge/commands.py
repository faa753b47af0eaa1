"""The technician's commands of an installed gate: setup, health, accounts, backup, restore, photos, bundles."""

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
    walk = _add(commands, "walk", "prove each wire of a lane's board on the spot, agent stopped; signed record", _walk)
    walk.add_argument("lane")
    walk.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
    walk.add_argument("--by", required=True, metavar="NAME", help="who walks")
    walk.add_argument("--language", choices=("vi", "en"), default="vi")
    health = _add(commands, "health", "whether this version runs; the package asks it after an upgrade", _health)
    health.add_argument("--config", type=Path, default=None, metavar="FILE")
    health.add_argument("--trial", action="store_true", help="start the agent in a world of its own")
    health.add_argument("--within", type=float, default=60.0, metavar="SECONDS")
    network = _add(
        commands, "network", "whom the installed units may exchange anything with, from the config", _network
    )
    network.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
    _accounts(commands)
    _record(commands)


def _accounts(commands: Commands) -> None:
    account = commands.add_parser("account", help="accounts of the screen").add_subparsers(
        required=True, metavar="WHAT"
    )
    add = _add(account, "add", "add an account; asks for its PIN at this console", _account_add)
    _gate(add)
    add.add_argument("id")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True)
    _gate(_add(account, "list", "the accounts that there are", _account_list))
    for what, meaning in (
        ("remove", "take an account away, with its sessions and its badge"),
        ("lock", "nobody signs in with it until it is unlocked; its sessions end"),
        ("unlock", "it may sign in again"),
        ("pin", "another PIN; asks for it at this console"),
    ):
        change = _add(account, what, meaning, _account_change)
        _gate(change)
        change.add_argument("id")
        change.set_defaults(what=what)
    role = _add(account, "role", "another role", _account_change)
    _gate(role)
    role.add_argument("id")
    role.add_argument("role")
    role.set_defaults(what="role")
    badge = _add(account, "badge", "tie a badge to an account; reads it at this console", _account_badge)
    _gate(badge)
    badge.add_argument("id")
    badge.add_argument("--remove", action="store_true", help="take the account's badge away")


def _gate(added: argparse.ArgumentParser) -> None:
    added.add_argument("--config", type=Path, required=True, metavar="FILE", help="the gate's TOML file")


def _record(commands: Commands) -> None:
    backup = _add(commands, "backup", "record, photos, keys, accounts and config in one archive", _backup)
    backup.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
    backup.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    backup.add_argument("--keep", type=int, default=0, metavar="N", help="delete older archives beyond N")
    restore = _add(commands, "restore", "the gate of an archive on this PC", _restore)
    restore.add_argument("archive", type=Path)
    restore.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="where its config goes")
    restore.add_argument("--key", required=True, metavar="HEX", help="the gate's public key: set-up printed it")
    restore.add_argument(
        "--data-dir", type=Path, default=Path("/var/lib/barie"), metavar="DIR", help="where its record goes"
    )
    photos = commands.add_parser("evidence", help="the photos of the record").add_subparsers(
        required=True, metavar="WHAT"
    )
    delete = _add(photos, "delete", "delete a passage's photos because somebody asked, on record", _evidence_delete)
    delete.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
    delete.add_argument("--passage", required=True, action="append", metavar="ID", help="as on its sheet; repeat it")
    delete.add_argument("--by", required=True, metavar="WHO", help="who decides it, as it stands in the record")
    delete.add_argument("--reason", required=True, metavar="WORDS", help="no plate and no name: it stays")
    bundle = commands.add_parser("bundle", help="signed models and tables, by USB").add_subparsers(
        required=True, metavar="WHAT"
    )
    make = _add(bundle, "make", "a folder as a signed bundle (at the publisher's)", _bundle_make)
    make.add_argument("folder", type=Path)
    make.add_argument("--kind", required=True, choices=["models", "tables"])
    make.add_argument("--serial", type=int, required=True)
    make.add_argument("--key", type=Path, required=True, metavar="PEM")
    make.add_argument("--out", type=Path, required=True, metavar="FILE")
    install = _add(bundle, "install", "check a bundle and use it from the next start", _bundle_install)
    install.add_argument("file", type=Path)
    install.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="must not name files of its own")
    back = _add(bundle, "back", "the program's own models or tables again", _bundle_back)
    back.add_argument("kind", choices=["models", "tables"])


def _add(commands: Commands, name: str, help_text: str, command: Command) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(command=command)
    return added


def _setup(args: argparse.Namespace) -> int:
    from edge.technician.setup import run

    return run(args.config, args.answers, force=args.force, doctor=not args.no_doctor)


def _network(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.network import run

    return run(load_config(args.config))


def _walk(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.walk import run

    return run(load_config(args.config), args.lane, args.by, language=args.language)


def _health(args: argparse.Namespace) -> int:
    from edge.technician.health import run

    return run(args.config, trial=args.trial, within_s=args.within)


def _account_add(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.account import run

    return run(Path(load_config(args.config).site.data_dir), args.id, args.name, args.role)


def _account_list(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.account import run_list

    return run_list(Path(load_config(args.config).site.data_dir))


def _account_change(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.account import run_change

    return run_change(Path(load_config(args.config).site.data_dir), args.what, args.id, getattr(args, "role", ""))


def _account_badge(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.account import run_badge

    return run_badge(Path(load_config(args.config).site.data_dir), args.id, remove=args.remove)


def _backup(args: argparse.Namespace) -> int:
    from edge.technician.backup import run_backup

    return run_backup(args.config, args.to, args.keep)


def _restore(args: argparse.Namespace) -> int:
    from edge.technician.backup import run_restore

    return run_restore(args.archive, args.config, args.key, args.data_dir)


def _evidence_delete(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.evidence import delete

    return delete(load_config(args.config), args.passage, args.by, args.reason)


def _bundle_make(args: argparse.Namespace) -> int:
    from edge.technician.bundle import make

    make(args.folder, args.kind, args.serial, args.key, args.out)
    print(f"written: {args.out}")
    return 0


def _bundle_install(args: argparse.Namespace) -> int:
    from edge.technician.bundle import install

    print(install(args.file, config_file=args.config))
    return 0


def _bundle_back(args: argparse.Namespace) -> int:
    from edge.technician.bundle import back

    print(back(args.kind))
    return 0
