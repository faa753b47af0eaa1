"""`barie`: every command in one place. Each imports only what it needs, so that `barie explain` never waits for a
model.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from edge import __version__, commands_eyes, resources
from edge.commands import add_to
from edge.errors import BarieError, ConfigError
from edge.logs import start_log

Command = Callable[[argparse.Namespace], int]

EXIT_STATUS = (
    "0: done. 1: the answer is no (a fault was found, an expectation differs). 2: bad input, or a configuration that "
    "stops the start. 130: Ctrl-C. 141: whoever read the output went away."
)
BENCH_PARTS = ("agent", "barrier", "bulk", "law", "panel", "store", "uplink", "vision")

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the console script and of `python -m edge`."""
    if argv is None:  # for the processes that the program starts: never code from the folder one happens to stand in
        os.environ.setdefault("PYTHONSAFEPATH", "1")
    _speak_anywhere()
    args = parser().parse_args(argv)
    start_log(args.log_level, as_json=args.log_format == "json")
    command: Command = args.command
    try:
        status = command(args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader went (`barie … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter flushes into it once more
        status = 128 + signal.SIGPIPE
    except ConfigError as error:
        for fault in error.faults:
            print(f"barie: {error.source}: {_both(fault)}", file=sys.stderr)
        status = 2
    except BarieError as error:
        print(f"barie: {_both(str(error))}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _speak_anywhere() -> None:
    """A terminal without the letters of a text gets them as escapes, which JSON takes too; what nobody expected ends
    in one line below its traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _unexpected


def _both(text: str) -> str:
    """Vietnamese first, English beside it."""
    from edge.technician.told import both

    return both(text)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    print(f"barie: a fault of this program ({kind.__name__}: {error}): what is above helps to mend it", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The whole command line; docs and tests read it too."""
    top = argparse.ArgumentParser(
        prog="barie", description="Gate controller for border barriers", epilog=f"Exit status: {EXIT_STATUS}"
    )
    top.add_argument("--version", action="version", version=f"barie {__version__}")
    top.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    top.add_argument("--log-format", default="text", choices=["text", "json"], help="json: one object a line")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _agent(commands)
    _vision(commands)
    _law(commands)
    _record(commands)
    _demo(commands)
    add_to(commands)
    return top


def _add(commands: Commands, name: str, help_text: str, command: Command) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(command=command)
    return added


def _config_option(added: argparse.ArgumentParser) -> None:
    added.add_argument("--config", type=Path, required=True, metavar="FILE", help="the gate's TOML file")


# ---------------------------------------------------------------- agent


def _agent(commands: Commands) -> None:
    _config_option(_add(commands, "run", "the agent on a barrier PC", _run))
    config = commands.add_parser("config", help="check a config").add_subparsers(required=True, metavar="WHAT")
    check = _add(config, "check", "every fault of a config, each with its key", _config_check)
    check.add_argument("file", type=Path)
    doctor = _add(
        commands, "doctor", "config, cameras, boards, broker, clock, disk, models, each with a verdict", _doctor
    )
    _config_option(doctor)
    doctor.add_argument("--language", choices=("vi", "en"), default="vi")
    doctor.add_argument("--json", action="store_true", help="one JSON object a line: mark, what, detail")
    kiosk = _add(commands, "kiosk", "the guard's touchscreen on this machine: a browser on the gate's page", _kiosk)
    kiosk.add_argument("--url", default="http://127.0.0.1:8080/")
    kiosk.add_argument("--sign", metavar="LANE", help="the driver's sign of this lane on a second screen")
    kiosk.add_argument(
        "--outputs",
        nargs=2,
        metavar=("SCREEN", "SIGN"),
        default=("HDMI-A-1", "HDMI-A-2"),
        help="of the guard's screen and of the sign (ls /sys/class/drm)",
    )


def _run(args: argparse.Namespace) -> int:
    from edge.agent import cannot_start
    from edge.agent.gate import run
    from edge.config import load_config

    try:
        config = load_config(args.config)
    except ConfigError as error:
        cannot_start.tell(error)
        raise
    return run(config, args.config)


def _config_check(args: argparse.Namespace) -> int:
    from edge.agent.lane.law import Law
    from edge.config import load_config

    config = load_config(args.file)
    Law.read(config.law)
    Law.pilots(config.law)
    print(f"{args.file}: good: site {config.site.id}, {len(config.lane)} lane(s)")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.doctor import run

    return run(load_config(args.config), args.language, as_json=args.json)


def _kiosk(args: argparse.Namespace) -> int:
    from edge.technician.kiosk import run
    from edge.technician.kiosk_sign import TwoScreens

    if not args.sign:
        return run(args.url)
    screen, sign = args.outputs
    return run(args.url, TwoScreens(screen, sign, f"{args.url.rstrip('/')}/sign/{args.sign}"))


# ---------------------------------------------------------------- vision


def _vision(commands: Commands) -> None:
    read = _add(commands, "read", "one JSON line for each image: the plates on it", _read)
    read.add_argument("images", nargs="+", type=Path)
    read.add_argument("--reader", default=None, help="own (default), rapidocr, or easyocr (an extra)")
    commands_eyes.add_to(commands)
    learn = _add(commands, "learn", "tune the reader on the guards' corrections, adopt it if it is better", _learn)
    _config_option(learn)
    learn.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for vision.models_dir")
    learn.add_argument("--steps", type=int, default=300)


def _learn(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.learn import run
    from edge.vision.weights import FOLDER

    config = load_config(args.config)
    models = Path(config.vision.models_dir) if config.vision.models_dir else FOLDER
    return run(Path(config.site.data_dir), args.out, models, args.steps)


def _read(args: argparse.Namespace) -> int:
    from edge.technician.read import run

    return run(args.images, args.reader)


# ---------------------------------------------------------------- law


def _law(commands: Commands) -> None:
    explain = _add(commands, "explain", "what the Decision still asks of a vehicle at a place, as JSON", _explain)
    explain.add_argument(
        "--declaration", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help="one or several"
    )
    explain.add_argument("--place", required=True, choices=["b1", "b2", "yard_in", "yard_out"])
    explain.add_argument("--direction", required=True, choices=["into_area", "out_of_area", "in", "out"])
    explain.add_argument("--plate", default=None, metavar="P", help="the plate read (default: the declared vehicle's)")
    explain.add_argument("--config", type=Path, default=None, metavar="FILE", help="the gate's TOML file: its choices")
    explain.add_argument("--now", default=None, metavar="ISO", help="time with an offset (default: now)")
    explain.add_argument("--seals-seen", default=None, metavar="A,B", help="seal numbers on the vehicle, as looked at")
    explain.add_argument("--paper", type=Path, default=None, metavar="FORM", help="a signed form of App. V, as JSON")
    explain.add_argument("--watch", type=Path, default=None, metavar="LIST", help="a watch list, as JSON")
    explain.add_argument("--copy-age", type=float, default=None, metavar="S", help="seconds since the centre was heard")
    explain.add_argument("--smart", action="store_true", help="the lane is a pilot smart lane")
    explain.add_argument("--choice", action="append", default=[], metavar="K=V", help="a site's choice; repeat it")
    explain.add_argument("--seal-broken", action="store_true", help="a seal on the vehicle is broken")
    explain.add_argument("--off-route", action="store_true", help="the vehicle is off its record's route")
    explain.add_argument("--checked", action="store_true", help='the guard said "I have checked"')
    explain.add_argument("--lane", default=None, metavar="ID", help="of several lanes there (default: the first)")
    explain.add_argument("--at-gate", action="store_true", help="from the record of the gate of --config instead")

    rules = commands.add_parser("rules", help="rule tables").add_subparsers(required=True, metavar="WHAT")
    _add(rules, "check", "every fault of a rule table, by line", _rules_check).add_argument("file", type=Path)
    diff = _add(rules, "diff", "what is asked no longer and what is new; 1 where there is any", _rules_diff)
    diff.add_argument("old", type=Path)
    diff.add_argument("new", type=Path)
    tried = _add(rules, "try", "whose verdict a new table would have changed, on this gate's record", _rules_try)
    tried.add_argument("new", type=Path)
    _config_option(tried)
    tried.add_argument("--days", type=int, default=30, metavar="N", help="how far back (default: 30)")


def _rules_check(args: argparse.Namespace) -> int:
    from edge.technician.rules import check

    return check(args.file)


def _rules_diff(args: argparse.Namespace) -> int:
    from edge.technician.rules import diff

    return diff(args.old, args.new)


def _rules_try(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.rules_try import run

    return run(args.new, load_config(args.config), args.days)


def _explain(args: argparse.Namespace) -> int:
    from edge.technician.explain import Question, run

    pairs = [one.partition("=") for one in args.choice]
    if not all(sep for _, sep, _ in pairs):
        raise ConfigError("--choice", ["must be KEY=VALUE"])
    seals = None if args.seals_seen is None else tuple(s.strip() for s in args.seals_seen.split(",") if s.strip())
    return run(
        Question(
            args.place,
            args.direction,
            tuple(args.declaration),
            args.plate,
            args.config,
            args.now,
            seals,
            args.paper,
            args.watch,
            args.copy_age,
            args.smart,
            {key: value for key, _, value in pairs},
            args.at_gate,
            lane=args.lane,
            seal_broken=args.seal_broken,
            off_route=args.off_route,
            checked=args.checked,
        )
    )


# ---------------------------------------------------------------- record


def _record(commands: Commands) -> None:
    journal = commands.add_parser("journal", help="the event log").add_subparsers(required=True, metavar="WHAT")
    _config_option(
        _add(journal, "verify", "the log's chain checked: any change, gap or reorder, by row", _journal_verify)
    )
    export = _add(journal, "export", "events as JSON lines or CSV", _journal_export)
    _config_option(export)
    export.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
    why = _add(commands, "why", "why a gate opened or stayed shut: what it knew, decided and still asked", _why)
    _config_option(why)
    why.add_argument("--lane", default="", help="one lane; without it, the newest passage of any")
    why.add_argument("--at", default="", metavar="TIME", help="as things stood then (ISO 8601); without it, now")
    why.add_argument("--plate", default="", help="the last passage in which this plate was read or meant")
    why.add_argument("--json", action="store_true", help="one JSON object")
    central = _add(commands, "central", "the stand-in for the platform", _central)
    central.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT")
    central.add_argument("--site", action="append", help="with --store, repeat it for further sites")
    central.add_argument("--declarations", type=Path, default=None, metavar="FOLDER")
    central.add_argument("--db", type=Path, default=Path("central.db"), metavar="FILE")
    central.add_argument(
        "--check", default=None, metavar="HOST:PORT", help="try the consumer behind this broker instead"
    )
    central.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    store = central.add_argument_group("the reference centre (pip install 'barie[central]'; docs/centre.md)")
    store.add_argument("--store", default=None, metavar="URL", help="postgresql://…: many sites, any number of workers")
    store.add_argument("--photos", type=Path, default=Path("photos"), metavar="FOLDER", help="that all workers share")
    store.add_argument("--workers", type=int, default=1, help="for each site, in this process")
    store.add_argument("--keep-months", type=int, default=0, metavar="N", help="drop what came before; 0 keeps it")
    store.add_argument("--api", default=None, metavar="HOST:PORT", help="the read API and the province's page")
    store.add_argument("--api-password-file", type=Path, default=None, metavar="FILE")
    store.add_argument("--key-add", action="append", metavar="SITE/LANE=HEX[@N]", help="a gate's key, from its event N")
    store.add_argument("--key-revoke", action="append", metavar="HEX")
    store.add_argument("--keys", action="store_true", help="list the registry")
    broker = central.add_argument_group("the broker's door, as docs/broker sets it up")
    broker.add_argument("--ca", type=Path, metavar="PEM", help="TLS: the authority of the broker's certificate")
    broker.add_argument("--cert", type=Path, metavar="PEM", help="TLS: our certificate; its common name is our user")
    broker.add_argument("--key", type=Path, metavar="PEM", help="TLS: its key")
    broker.add_argument("--user", metavar="NAME", help="our user name, with a password instead of a certificate")
    broker.add_argument("--password-file", metavar="FILE", help="its first line is the password")


def _why(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.why import run

    return run(load_config(args.config), args.lane, args.at, args.plate, as_json=args.json)


def _journal_verify(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.journal import verify

    return verify(load_config(args.config))


def _journal_export(args: argparse.Namespace) -> int:
    from edge.config import load_config
    from edge.technician.journal import export

    return export(load_config(args.config), args.format)


def _central(args: argparse.Namespace) -> int:
    from edge.technician import broker_option

    if args.store is not None:
        try:
            from central.command import run as run_store
        except ImportError as error:
            raise BarieError(f"--store: {error.name} is missing: pip install 'barie[central]'") from error
        return run_store(args, broker_option.settings(args, "--broker", args.broker, "barie-centre"))
    if args.site is None or len(args.site) != 1:
        raise BarieError("--site: one, and exactly one without --store")
    (site,) = args.site
    if args.check is not None:
        from edge.technician.central_check import run as check

        settings = broker_option.settings(args, "--check", args.check, "barie-conformance-{random}")
        return check(settings, site, args.protocol)
    from edge.technician.central import run

    settings = broker_option.settings(args, "--broker", args.broker, f"barie-central-{site}-{{random}}")
    return run(settings, site, args.declarations, args.db, args.protocol)


# ---------------------------------------------------------------- demo


def _demo(commands: Commands) -> None:
    demo = _add(commands, "demo", "the whole job in a world of its own", _run_demo)
    demo.add_argument(
        "--seconds", type=float, default=None, help="end after this long, counted from when everything is up"
    )
    demo.add_argument("--headless", action="store_true", help="a scripted guard presses; one summary line at the end")
    demo.add_argument("--port", type=int, default=8080)
    sim = _add(commands, "sim", "the simulated boom and traffic alone; last line JSON with the counts", _sim)
    what = sim.add_mutually_exclusive_group(required=True)
    what.add_argument("--scenario", type=Path, default=None, metavar="FILE")
    what.add_argument("--site", type=Path, default=None, metavar="FOLDER", help="all around an installed agent")
    what.add_argument("--passages", type=int, default=None, metavar="N", help="random passages with random faults")
    sim.add_argument("--seed", type=int, default=1)
    sim.add_argument(
        "--keep", type=Path, default=None, metavar="FILE", help="passages: what ran before is not run again"
    )
    bench = _add(commands, "bench", "the figures that the README quotes, one JSON line each", _bench)
    bench.add_argument("part", choices=BENCH_PARTS)
    bench.add_argument("--long", action="store_true", help="the whole length instead of a minute or two")
    bench.add_argument(
        "--against",
        default="",
        metavar="NAME[=MODELS],…",
        help="vision: also measure these readers, where installed; fast-alpr with its models' folder",
    )
    bench.add_argument(
        "--pictures", type=Path, default=None, metavar="FOLDER", help="vision: CPU time of a look at these scenes"
    )


def _run_demo(args: argparse.Namespace) -> int:
    from edge.demo.run import run

    return run(args.seconds, headless=args.headless, port=args.port)


def _beside(module: str, what: str) -> ModuleType:
    """A part that lies in the checkout and in no installed package. Raises BarieError where it is not there."""
    root = resources.checkout()
    if root is None:
        raise BarieError(f"{what}: needs a whole checkout: what it runs ({module}) is not part of an installed gate")
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    return importlib.import_module(module)


def _sim(args: argparse.Namespace) -> int:
    if args.site is not None:
        from edge.demo.site import run as run_site

        return run_site(args.site, rtsp_port=8554, mqtt_port=1883, panel_port=8080)
    status: int = _beside("tests.harness.sim.run", "sim").run(args.scenario, args.passages, args.seed, args.keep)
    return status


def _bench(args: argparse.Namespace) -> int:
    against = [name for name in args.against.split(",") if name]
    status: int = _beside("tests.harness.bench.run", "bench").run(
        args.part, against, long=args.long, pictures=args.pictures
    )
    return status
