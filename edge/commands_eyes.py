"""The technician's commands for the eyes: replay, calibrate, the site's own clips, health over time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Command = Callable[[argparse.Namespace], int]
LIVE_S = 60.0


def add_to(commands: Commands) -> None:
    """Every command of this module, on the command line of edge.cli."""
    replay = _add(commands, "replay", "the real pipeline on recorded video: one JSON line for each passage", _replay)
    replay.add_argument("clips", nargs="*", metavar="CLIP", help="files, folders, rtsp:// addresses")
    replay.add_argument("--config", type=Path, default=None, metavar="FILE")
    replay.add_argument("--camera", default=None, metavar="ID", help="whose region and settings (default: the first)")
    replay.add_argument("--reader", default=None, help="own (default), rapidocr, or easyocr (an extra)")
    replay.add_argument("--table", action="store_true", help="expected against got instead of JSON")
    replay.add_argument("--report", type=Path, default=None, metavar="FILE", help="one self-contained HTML record")
    replay.add_argument("--sign", action="store_true", help="sign the report with the key of --config's gate")
    replay.add_argument("--verify", type=Path, default=None, metavar="FILE", help="check such a record instead")
    replay.add_argument("--compare", type=Path, default=None, metavar="OLD.json", help="an earlier run's lines")
    replay.add_argument("--real-time", action="store_true", help="at the clip's own pace, late frames dropped")
    replay.add_argument("--seconds", type=float, default=LIVE_S, help="how long a live stream is watched")
    calibrate = _add(commands, "calibrate", "what to turn at a camera, and a setting that reads more", _calibrate)
    calibrate.add_argument("source", metavar="CLIP|rtsp://…|live", help="live: the camera of the config")
    calibrate.add_argument("--config", type=Path, required=True, metavar="FILE")
    calibrate.add_argument("--camera", default=None, metavar="ID")
    calibrate.add_argument("--seconds", type=float, default=LIVE_S, help="how long a live stream is watched")
    calibrate.add_argument("--report", type=Path, default=None, metavar="FILE", help="HTML with pictures and heat map")
    calibrate.add_argument("--patch", type=Path, default=None, metavar="FILE", help="write the proposal as TOML")
    calibrate.add_argument("--apply", action="store_true", help="put it into --config; the old one is kept beside it")
    calibrate.add_argument("--json", action="store_true")
    label = _add(commands, "label", "mark a passage right or wrong and keep it as a clip of this site", _label)
    label.add_argument("passage", nargs="?", default=None, help="default: list those that can be labelled")
    label.add_argument("--config", type=Path, required=True, metavar="FILE")
    label.add_argument("--truth", default=None, metavar="PLATE", help="what the plate really says")
    label.add_argument("--wrong", action="store_true", help="no plate can be read on it")
    label.add_argument("--budget", type=int, default=500, metavar="MB", help="of all kept clips; the oldest go")
    eyesight = _add(commands, "eyesight", "read rate by camera, hour and light from the record, and its trend", _sight)
    eyesight.add_argument("--config", type=Path, required=True, metavar="FILE")
    eyesight.add_argument("--json", action="store_true")


def _add(commands: Commands, name: str, help_text: str, command: Command) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(command=command)
    return added


def _replay(args: argparse.Namespace) -> int:
    from edge.errors import BarieError
    from edge.technician.replay import Options, run

    if (args.sign or args.verify is not None) and args.config is None:
        raise BarieError("replay: --sign and --verify need the gate's --config, for its key")
    if args.verify is not None:
        from edge.technician.signed import verify

        return verify(args.verify, args.config)
    if args.sign and args.report is None:
        raise BarieError("replay: --sign needs --report, the record to be signed")
    if not args.clips:
        raise BarieError("replay: give clips, folders or rtsp:// addresses")
    options = Options(
        args.camera, args.report, args.compare, args.table, args.real_time, args.seconds, args.sign, args.reader
    )
    return run(args.clips, args.config, options)


def _label(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.label import run

    return run(load_config(args.config), args.passage, args.truth, wrong=args.wrong, budget_mb=args.budget)


def _sight(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.eyesight import run

    return run(load_config(args.config), as_json=args.json)


def _calibrate(args: argparse.Namespace) -> int:
    from edge.technician.calibrate import Options, run

    options = Options(args.camera, args.seconds, args.report, args.patch, args.apply, args.json)
    return run(args.source, args.config, options)
