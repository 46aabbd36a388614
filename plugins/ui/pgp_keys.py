"""OpenPGP keys as the screen stores them: ours are made here or brought along, the partner's are pasted."""

from __future__ import annotations

from dataclasses import replace

from data_connections.errors import ConfigurationError
from data_connections.formats.openpgp.keyring import added, describe, generate, split
from hooks.login import Login
from ui.airflow_logins import stored_login


def changed_keys(name: str, armored: str, passphrase: str, *, makes_one: bool) -> tuple[Login, str | None]:
    """Return the keys of that name with more beside them, and the public part of the one that was made.

    Args:
        name: Of the credentials.
        armored: Keys, one after the other: public ones are the partner's, secret ones are ours.
        passphrase: Opens our secret keys; the one that is kept where left empty.
        makes_one: Whether a key of ours is made.

    Raises:
        ConfigurationError: There is nothing to store, or a key that cannot be used.
    """
    kept = stored_login(name) or Login(kind="pgp")
    if kept.kind != "pgp":
        raise ConfigurationError(f"{name} is a login; keep PGP keys under a name of their own.", field="name")
    opens = passphrase or kept.passphrase
    given = split(armored)
    if armored.strip() and not given:
        raise ConfigurationError("There is no armored PGP key (-----BEGIN PGP ...) in it.", field="pgp_keys")
    if makes_one and opens:
        raise ConfigurationError("A key that is made here has no passphrase; leave it empty.", field="passphrase")
    made = [generate(name)] if makes_one else []
    whose = {text: describe(text, name, opens).whose for text in given}
    ours = [*made, *(text for text in given if whose[text] == "ours")]
    partners = [text for text in given if whose[text] == "partner"]
    if not (ours or partners or kept.pgp_keys or kept.pgp_certificates):
        raise ConfigurationError("Paste the partner's public key, or let us make a key pair.", field="pgp_keys")
    keys = replace(
        kept,
        passphrase=opens,
        pgp_keys=added(kept.pgp_keys, ours, name, opens),
        pgp_certificates=added(kept.pgp_certificates, partners, name, opens),
    )
    return keys, describe(made[0], name, None).public if made else None
