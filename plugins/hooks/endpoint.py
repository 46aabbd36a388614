"""A connection's endpoint, with the credentials that Airflow keeps for it."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from data_connections.endpoints.contract import Credentials, Endpoint
from data_connections.errors import ConfigurationError
from data_connections.spec import ConnectionSpec, FtpHost, Hosted, InboundMailboxDetails, SftpHost

if TYPE_CHECKING:
    from data_connections.endpoints.blocking import BlockingEndpoint
    from data_connections.endpoints.pool import FolderWatch
    from hooks.hosted_folder import HostedWatch


class EndpointHook(BaseHook):
    """Opens the endpoint of one connection.

    The Airflow connection whose id is the spec's ``credentials`` gives login, password and, in its extra,
    ``private_key``, ``private_key_passphrase`` and ``host_key`` for SFTP, ``certificate`` (fingerprints) and
    ``certificate_authorities`` (PEM) for FTPS and mail; the spec gives the rest.
    """

    def __init__(self, spec: ConnectionSpec) -> None:
        super().__init__()
        self.spec = spec

    def get_conn(self) -> AbstractContextManager[BlockingEndpoint]:
        """Return the endpoint for tasks: connected inside the ``with`` block.

        Raises:
            ConfigurationError: There are no such credentials.
        """
        from data_connections.endpoints.blocking import open_endpoint

        if isinstance(self.spec.details, Hosted):
            from hooks.hosted_folder import hosted_endpoint

            return open_endpoint(lambda: hosted_endpoint(self.spec))
        credentials = self.credentials()
        return open_endpoint(lambda: self.endpoint(credentials))

    def endpoint(self, credentials: Credentials) -> Endpoint:
        """Return the endpoint, not yet connected."""
        from data_connections.endpoints.opening import maker_of

        _keep_logs_readable()
        details = self.spec.details
        return maker_of(details)(details.host, details.port, credentials)

    async def watch(self, every: float) -> FolderWatch | HostedWatch:
        """Return the connection's folder for a trigger, which looks every ``every`` seconds.

        Logins and listings are shared with every other trigger of the process, and a host that is down is left alone
        for longer and longer.

        Raises:
            ConfigurationError: There are no such credentials.
        """
        from data_connections.endpoints.opening import maker_of
        from data_connections.endpoints.pool import Account, shared_pool

        if isinstance(self.spec.details, Hosted):
            from hooks.hosted_folder import watch_hosted

            return await watch_hosted(self.spec)
        _keep_logs_readable()
        details = self.spec.details
        account = Account(details.host, details.port, await self.acredentials(), maker_of(details))
        return shared_pool().watch(account, details.folder, every)

    def credentials(self) -> Credentials:
        """Return the credentials, in a task.

        Raises:
            ConfigurationError: There are none.
        """
        try:
            credentials = self._credentials(AirflowConnection.get(self.spec.credentials))
        except AirflowNotFoundException as missing:
            raise self._missing() from missing
        for secret in credentials.secrets():
            mask_secret(secret)
        return credentials

    async def acredentials(self) -> Credentials:
        """Return the credentials, in a trigger.

        Raises:
            ConfigurationError: There are none.
        """
        try:
            credentials = self._credentials(await AirflowConnection.async_get(self.spec.credentials))
        except AirflowNotFoundException as missing:
            raise self._missing() from missing
        for secret in credentials.secrets():
            await amask_secret(secret)
        return credentials

    def _credentials(self, kept: AirflowConnection) -> Credentials:
        extra = kept.extra_dejson
        details = self.spec.details
        host_keys = isinstance(details, SftpHost) and details.host_key
        certificates = isinstance(details, FtpHost | InboundMailboxDetails) and details.certificate
        return Credentials(
            login=kept.login or "",
            password=kept.password or None,
            private_key=extra.get("private_key") or None,
            passphrase=extra.get("private_key_passphrase") or None,
            host_keys=tuple(host_keys or _lines(extra.get("host_key"))),
            certificates=tuple(certificates or _lines(extra.get("certificate"))),
            authorities=extra.get("certificate_authorities") or None,
        )

    def _missing(self) -> ConfigurationError:
        name = self.spec.credentials
        return ConfigurationError(
            f"Connection {self.spec.name}: there are no credentials {name!r} for {self.spec.details.host}. "
            f"Set them with `connections credentials set {name}`."
        )


def _lines(value: str | list[str] | None) -> list[str]:
    lines = value.splitlines() if isinstance(value, str) else value or []
    return [line.strip() for line in lines if line.strip()]


def _keep_logs_readable() -> None:
    """Leave out asyncssh's account of every packet exchanged; what goes wrong is in our own messages."""
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
