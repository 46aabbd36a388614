"""The secrets of an installation in files, made on its first start; what is there already stays."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from data_connections.errors import ConfigurationError
from local_stack.keys import Keys

DATABASE_USER = "connections"


def make_secrets(keys: Keys) -> list[str]:
    """Make what is not there yet, and return the names of all files; nothing of it is printed anywhere.

    ``pgpass`` and ``redis.conf`` hold the same passwords as the files beside them, in the forms that libpq and Redis
    read; they are written anew, so that a password is changed in one place.
    """
    password = keys.kept("postgres_password", secrets.token_urlsafe(24)).strip()
    redis = keys.kept("redis_password", secrets.token_urlsafe(24)).strip()
    for secret in (keys.fernet_key, keys.jwt_secret, keys.api_secret, keys.password()):
        assert secret  # noqa: S101 - asking makes it
    _write(keys.folder / "pgpass", f"*:*:*:{DATABASE_USER}:{_escaped(password)}\n")
    _write(keys.folder / "redis.conf", _REDIS.format(password=redis))
    _write(keys.folder / "broker_url", f"redis://:{redis}@{os.environ.get('REDIS_ADDRESS') or 'redis:6379'}/0")
    _write(keys.folder / "gateway_password", keys.password("gateway"))
    return sorted(path.name for path in keys.folder.iterdir())


_REDIS = """\
bind * -::*
dir /tmp
save ""
appendonly no
maxmemory 200mb
maxmemory-policy noeviction
requirepass {password}
"""


def begin_fernet_rotation(keys: Keys) -> None:
    """Put a new Fernet key before the present one: what is stored from now on is encrypted with it.

    Raises:
        ConfigurationError: A rotation was begun and not ended.
    """
    present = keys.fernet_key.strip()
    if "," in present:
        raise ConfigurationError("A rotation of the Fernet key is under way; end it first.")
    new = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    _write(keys.folder / "fernet_key", f"{new},{present}")


def end_fernet_rotation(keys: Keys) -> None:
    """Forget the old Fernet key, once `airflow rotate-fernet-key` has encrypted everything with the new one."""
    _write(keys.folder / "fernet_key", keys.fernet_key.partition(",")[0].strip())


def renew(keys: Keys, name: str) -> None:
    """Make a new secret that only signs: everybody has to log in again, running tasks are tried again.

    Args:
        keys: The installation's.
        name: ``jwt_secret`` or ``api_secret``.

    Raises:
        ConfigurationError: It is another one.
    """
    if name not in ("jwt_secret", "api_secret"):
        raise ConfigurationError(f"{name} cannot be renewed so. Choose jwt_secret or api_secret.")
    _write(keys.folder / name, secrets.token_urlsafe(48))


def _write(path: Path, text: str) -> None:
    """Give a file its whole content at once, readable by nobody else."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _escaped(password: str) -> str:
    """Return a password as libpq's password file has it."""
    return password.replace("\\", "\\\\").replace(":", "\\:")
