"""The keyring of a real desktop: gnome-keyring under a session bus of its own, in a process of its own.

Needs the Debian packages gnome-keyring and dbus-daemon, which packaging/setup --test installs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")
_MISSING = [name for name in _PROGRAMS if shutil.which(name) is None]
# Root installs what is missing, so that there the absence is a failure and no excuse.
pytestmark = pytest.mark.skipif(
    bool(_MISSING) and os.geteuid() != 0, reason=f"missing: {', '.join(_MISSING)}; packaging/setup --test installs them"
)

# The daemon takes the password of the login keyring on its standard input, as at a sign-in to the desktop.
_SESSION = """
set -e
printf '%s' 'desktop password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
exec "$0" -c "$1" "$2"
"""

_DESKTOP = """
import json, sys
from pathlib import Path

from compliance.session_keys import DesktopKeyring, find_keyring
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords

lower_the_cost_of_passwords()
held = find_keyring()
said = {"kind": type(held).__name__}
held.put("test-home", b"k" * 32, 60)
said["came back"] = DesktopKeyring().get("test-home") == b"k" * 32
said["foreign"] = held.get("other-home")
held.drop("test-home")
held.drop("test-home")
said["dropped"] = held.get("test-home")
home = Path(sys.argv[1])
with Workshop(home, "own", held) as workshop:
    workshop.create_account("maria", PASSWORD, "Maria Example")
    workshop.login("maria", PASSWORD)
with Workshop(home, "own", find_keyring()) as workshop:
    said["next command"] = workshop.session().unlocked
    workshop.members.lock()
with Workshop(home, "own", find_keyring()) as workshop:
    said["after the lock"] = workshop.session().unlocked
    workshop.unlock(PASSWORD)
    workshop.logout()
with Workshop(home, "own", find_keyring()) as workshop:
    said["after signing out"] = workshop.session()
print(json.dumps(said))
"""


def run_in_desktop(folder: Path, script: str, argument: Path) -> str:
    """Run a script under a session bus with an unlocked login keyring, all of it in a folder of its own."""
    for name in ("home", "runtime", "data"):
        (folder / name).mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "XDG_DATA_HOME": str(folder / "data"),
        "LC_ALL": "C.UTF-8",
    }
    command = ["dbus-run-session", "--", "sh", "-c", _SESSION, sys.executable, script, str(argument)]
    done = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_real_secret_service_holds_the_keys_of_a_session(tmp_path: Path) -> None:
    """The next command finds the keys open, until they are locked or signed out; the keyring's file tells no key."""
    said = json.loads(run_in_desktop(tmp_path, _DESKTOP, tmp_path / "signet").splitlines()[-1])
    assert said == {
        "kind": "DesktopKeyring",
        "came back": True,
        "foreign": None,
        "dropped": None,
        "next command": True,
        "after the lock": False,
        "after signing out": None,
    }
    keyrings = list((tmp_path / "data" / "keyrings").glob("*.keyring"))
    assert keyrings
    assert all(b"a2tra2tra2tra2tr" not in path.read_bytes() for path in keyrings)
