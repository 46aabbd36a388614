"""The gateway as a process of its own, with what it takes to start runs in Airflow."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

from command_line.output import note
from command_line.session import open_ledger

if TYPE_CHECKING:
    from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
    from data_connections.gateway.run_starter import StartRun
    from data_connections.ledger import Ledger
    from data_connections.settings import Settings


def run_gateway(settings: Settings) -> None:
    """Serve in the foreground until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: The ports cannot be had, or another gateway serves these folders.
    """
    from command_line.airflow_api import AirflowApi
    from command_line.start_run import start_waiting_run
    from data_connections.gateway.configuration import GatewayConfiguration
    from local_stack.keys import GATEWAY

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("asyncssh", "httpx", "pyftpdlib"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    configuration = GatewayConfiguration.from_environment(settings)
    api = AirflowApi(settings, account=GATEWAY)
    asyncio.run(_serve(configuration, open_ledger(settings), lambda name: start_waiting_run(api, name)))


async def _serve(configuration: GatewayConfiguration, ledger: Ledger, start_run: StartRun) -> None:
    from command_line.check_trial import check_trial
    from data_connections.gateway.serving import running

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(configuration, ledger, start_run, check_trial) as gateway:
        note(f"The gateway listens at {configuration.bind}: {_ports(gateway.address)}.")
        gateway.broken.add_done_callback(lambda _: stop.set())
        await stop.wait()
        note("Stopping; transfers that are under way may finish.")
        if gateway.broken.done():
            gateway.broken.result()


def _ports(address: GatewayAddress) -> str:
    """Return what is offered at which port, in words."""
    offered = {
        "SFTP": address.sftp_port,
        "FTPS": address.ftp_port,
        "FTPS with TLS from the first byte": address.ftps_port,
        "SMTP": address.smtp_port,
        "login details by HTTPS": address.https_port,
    }
    return ", ".join(f"{name} on port {port}" for name, port in offered.items() if port is not None)
