"""A PostgreSQL of one's own, in a folder of its own, reached by a socket in it: for the tests, and to look at the
centre on this machine. As root it runs under another user, because PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from edge.errors import BarieError

USERS = ("postgres", "nobody")


def programs() -> Path | None:
    """The folder of initdb and postgres, of the newest version that is installed; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    known = shutil.which("initdb")
    return None if known is None else Path(known).resolve().parent


class Cluster:
    """`url` is for psycopg. Raises BarieError."""

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            raise BarieError("PostgreSQL is not installed: apt-get install postgresql")
        self._programs = folder
        self.folder = Path(tempfile.mkdtemp(prefix="barie-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = next(user for user in USERS if _known(user))
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        done = subprocess.run(
            [*self._as_user(), str(folder / "initdb"), "-D", str(self._data), "-U", "barie", "-A", "trust",
             "-E", "UTF8", "--locale=C", "--no-instructions"],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise BarieError(f"initdb: {done.stderr.decode(errors='replace').strip()}")

    @property
    def url(self) -> str:
        return f"postgresql://barie@/postgres?host={self.folder}"

    def _as_user(self) -> list[str]:
        return [] if self._user is None else ["setpriv", f"--reuid={self._user}", "--init-groups", "--"]

    def start(self) -> None:
        """Returns when it takes connections."""
        line = [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            "-k",
            str(self.folder),
            "-c",
            "listen_addresses=",
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*self._as_user(), *line], cwd=self.folder, stdout=log, stderr=log)
        waits = [str(self._programs / "pg_isready"), "-h", str(self.folder), "-U", "barie", "-q"]
        for _ in range(600):
            if self._process.poll() is not None:
                raise BarieError(f"postgres ended: {(self.folder / 'log').read_text()[-500:]}")
            if subprocess.run(waits, check=False).returncode == 0:
                return
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        raise BarieError("postgres does not start")

    def kill(self) -> None:
        """As a power cut of its machine would: it recovers at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": its children end too, nothing is written
            self._process.wait()
            self._process = None

    def close(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
