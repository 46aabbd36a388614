"""Keys and the administrator's password: made once for an installation, readable by its user alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ADMINISTRATOR = "admin"
GATEWAY = "gateway"
"""The gateway's own login at Airflow: it may start runs, and configure nothing."""


@dataclass(frozen=True)
class Keys:
    """What protects this installation; its text shows none of it.

    Attributes:
        folder: Where the keys are, with mode 0700.
    """

    folder: Path

    @property
    def fernet_key(self) -> str:
        """Encrypts the credentials in Airflow's database; whoever loses it loses them."""
        return self.kept("fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    @property
    def jwt_secret(self) -> str:
        """Signs the tokens of users and tasks."""
        return self.kept("jwt_secret", secrets.token_urlsafe(48))

    @property
    def api_secret(self) -> str:
        """Signs the sessions of the screen."""
        return self.kept("api_secret", secrets.token_urlsafe(48))

    @property
    def password_file(self) -> Path:
        """File with the logins, as Airflow's SimpleAuthManager reads it."""
        made = {name: secrets.token_urlsafe(12) for name in (ADMINISTRATOR, GATEWAY)}
        kept = json.loads(self.kept("passwords.json", json.dumps(made)))
        path = self.folder / "passwords.json"
        if not made.keys() <= kept.keys():
            unfinished = path.with_name(f"passwords.json.{os.getpid()}")
            unfinished.touch(0o600)
            unfinished.write_text(json.dumps({**made, **kept}), encoding="utf-8")
            unfinished.replace(path)
        return path

    def password(self, name: str = ADMINISTRATOR) -> str:
        """Return the password of a login at Airflow."""
        return str(json.loads(self.password_file.read_text(encoding="utf-8"))[name])

    def kept(self, name: str, new: str) -> str:
        """Return what stands in the file ``name``; ``new`` is written first when there is none.

        Args:
            name: Name of the file.
            new: What is written, readable by this user alone, when there is none.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / name
        if not path.exists():
            unfinished = path.with_name(f"{name}.{os.getpid()}")
            handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(new)
            _publish(unfinished, path)
        return path.read_text(encoding="utf-8")


def _publish(unfinished: Path, path: Path) -> None:
    """Give the file its name, unless another process was first."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
