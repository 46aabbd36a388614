"""Where connections may go: public addresses, and inside only what an installation allows.

Whoever may write a spec could otherwise reach services of this machine and its network, such as the metadata service
of a cloud, in the name of this installation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from data_connections.errors import ConfigurationError, FatalEndpointError
from data_connections.settings import Settings

VARIABLE = "CONNECTIONS_ALLOW_ADDRESSES"
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200")))
_NAT64 = ip_network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Reachable:
    """The addresses that connections may go to.

    Attributes:
        allowed: Networks that are allowed although they are not public.
    """

    allowed: tuple[_Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> Reachable:
        """Return the policy that allows these networks.

        Raises:
            ConfigurationError: One of them is none.
        """
        try:
            return cls(tuple(ip_network(text, strict=False) for text in networks))
        except ValueError as wrong:
            raise ConfigurationError(
                f"{VARIABLE}: {wrong}. It takes addresses and networks such as 10.1.0.0/16, with commas between."
            ) from wrong

    @classmethod
    def here(cls) -> Reachable:
        """Return the policy of this installation."""
        return cls.of(Settings.from_environment().allowed_addresses)

    def objection(self, address: str) -> str | None:
        """Return what kind of place an address is that may not be reached, None for one that may."""
        meant = _meant(ip_address(address.partition("%")[0]))
        if any(meant.version == network.version and meant in network for network in self.allowed):
            return None
        return _kind(meant)

    def check(self, place: str, address: str) -> None:
        """Raise unless ``address`` may be reached.

        Args:
            place: What was asked for, for the message: ``host:port``.
            address: What its name stands for.

        Raises:
            FatalEndpointError: It may not; the message says what would allow it.
        """
        kind = self.objection(address)
        if kind is not None:
            raise FatalEndpointError(
                f"{place}: {address} is {kind}, and connections go to public addresses only. If this server is meant, "
                f"allow it where Connections runs: {VARIABLE}={address.partition('%')[0]} (more with commas between; "
                "networks such as 10.1.0.0/16 too)."
            )


def _meant(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _kind(address: _Address) -> str | None:
    kinds = {
        "a metadata service": address in _METADATA,
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "no address to connect to": address.is_unspecified or address.is_multicast or address.is_reserved,
        "private": not address.is_global,
    }
    return next((kind for kind, holds in kinds.items() if holds), None)
