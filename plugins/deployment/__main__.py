"""`python -m deployment ...`: what the first start of an installation runs, and the renewal of keys."""

from __future__ import annotations

import sys

import typer

from data_connections.errors import ConnectionsError
from data_connections.settings import Settings
from local_stack.airflow_environment import keys_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def secrets() -> None:
    """Make the secrets that are not there yet."""
    from deployment.kept_secrets import make_secrets

    keys = keys_of(Settings.from_environment())
    typer.echo(f"{keys.folder} has {', '.join(make_secrets(keys))}")


@app.command()
def prepare() -> None:
    """Make databases, schemas, roles and the first logins; brings the schemas to their newest."""
    from deployment.preparation import prepare as work

    keys = keys_of(Settings.from_environment())
    work(keys)
    typer.echo(f"Ready. The administrator's password is in {keys.password_file}.")


@app.command()
def healthy(service: str) -> None:
    """Ask a service of this container whether it is well; exit code 1 when it is not."""
    from deployment.health import is_healthy

    raise typer.Exit(0 if is_healthy(service) else 1)


@app.command()
def begin_fernet_rotation() -> None:
    """Put a new Fernet key before the present one; restart, `airflow rotate-fernet-key`, then end it."""
    from deployment import kept_secrets

    kept_secrets.begin_fernet_rotation(keys_of(Settings.from_environment()))


@app.command()
def end_fernet_rotation() -> None:
    """Forget the old Fernet key."""
    from deployment import kept_secrets

    kept_secrets.end_fernet_rotation(keys_of(Settings.from_environment()))


@app.command()
def renew(name: str) -> None:
    """Make a new jwt_secret or api_secret; restart everything afterwards."""
    from deployment import kept_secrets

    kept_secrets.renew(keys_of(Settings.from_environment()), name)


def main() -> None:
    """Run the command line; an error of ours is a sentence and exit code 2."""
    try:
        app()
    except ConnectionsError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
