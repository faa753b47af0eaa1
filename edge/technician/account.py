"""`barie account`: every account, the first one too, is made on the machine's console, and so is its badge. None exists
by default."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from edge.panel.accounts import Accounts, add_account, check_badge, check_new_account
from edge.panel.rights import ROLES
from edge.technician.owner import become_owner

_PIN_STANDS_IN = "280457"


ACCOUNTS_FILE = "accounts.db"


def run(data_dir: Path, id: str, name: str, role: str) -> int:
    """Asks for the PIN twice, unseen, and adds the account in `data_dir`. Returns 0, or 2 for bad input."""
    try:
        check_new_account(id, name, role, _PIN_STANDS_IN)  # before anybody types a PIN in vain
        pin = getpass.getpass("PIN (6-12 digits): ")
        if pin != getpass.getpass("PIN again: "):
            print("barie account add: the two PINs differ; nothing was added", file=sys.stderr)
            return 2
        by = _console()
        become_owner(data_dir)
        add_account(data_dir / ACCOUNTS_FILE, id, name, role, pin, by=by)
    except ValueError as error:
        print(f"barie account add: {error}", file=sys.stderr)
        return 2
    except (EOFError, KeyboardInterrupt):
        print("\nbarie account add: no PIN was given; nothing was added", file=sys.stderr)
        return 2
    print(f"added {id} ({role})")
    return 0


def _console() -> str:
    """Who sits at this console, asked before this process becomes the service's user."""
    return f"console/{os.environ.get('SUDO_USER') or getpass.getuser()}"[:60]


def run_change(data_dir: Path, what: str, id: str, role: str = "") -> int:
    """`barie account remove|lock|unlock|pin|role`: at this console, under the name of who sits there, and an event of
    the record once the agent has seen it. Returns 0, or 2 for bad input."""
    by = _console()
    become_owner(data_dir)
    if not (data_dir / ACCOUNTS_FILE).exists():
        print(f"barie account {what}: no accounts yet", file=sys.stderr)
        return 2
    accounts = Accounts(data_dir / ACCOUNTS_FILE)
    try:
        if what == "pin":
            pin = getpass.getpass("PIN (6-12 digits): ")
            if pin != getpass.getpass("PIN again: "):
                raise ValueError("the two PINs differ; nothing was changed")
            accounts.set_pin(id, pin, by)
        elif what == "role":
            accounts.set_role(id, role, by)
        else:
            {"remove": accounts.remove, "lock": accounts.lock_out, "unlock": accounts.open_again}[what](id, by)
    except ValueError as error:
        print(f"barie account {what}: {error}", file=sys.stderr)
        return 2
    except (EOFError, KeyboardInterrupt):
        print(f"\nbarie account {what}: no PIN was given; nothing was changed", file=sys.stderr)
        return 2
    finally:
        accounts.close()
    print(f"{id}: {what} done; sessions of this account have ended")
    return 0


def run_badge(data_dir: Path, id: str, *, remove: bool = False) -> int:
    """Reads a badge at this console, twice and unseen, and ties it to the account; or takes the account's badge away.
    Returns 0, or 2 for bad input."""
    by = _console()
    become_owner(data_dir)
    accounts = Accounts(data_dir / ACCOUNTS_FILE)
    try:
        if remove:
            accounts.set_badge(id, None, by)
            print(f"{id} has no badge any more")
            return 0
        code = check_badge(getpass.getpass("Hold the badge to the reader: ").strip())
        if code != getpass.getpass("Once more: ").strip():
            print("barie account badge: the two readings differ; nothing was changed", file=sys.stderr)
            return 2
        accounts.set_badge(id, code, by)
    except ValueError as error:
        print(f"barie account badge: {error}", file=sys.stderr)
        return 2
    except (EOFError, KeyboardInterrupt):
        print("\nbarie account badge: no badge was read; nothing was changed", file=sys.stderr)
        return 2
    finally:
        accounts.close()
    print(f"{id} signs in with this badge")
    return 0


def run_list(data_dir: Path) -> int:
    """Prints one account a line: id, role, name."""
    db = data_dir / ACCOUNTS_FILE
    if not db.exists():
        print(f"no accounts yet ({db}); add one: barie account add ID --name NAME --role {'|'.join(ROLES)}")
        return 0
    accounts = Accounts(db)
    locked = accounts.locked()
    for person in accounts.people():
        shut = f"\tlocked by {locked[person.id]}" if person.id in locked else ""
        print(f"{person.id}\t{person.role}\t{person.name}{shut}")
    accounts.close()
    return 0
