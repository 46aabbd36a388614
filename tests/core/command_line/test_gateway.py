"""`connections gateway`: logins at the endpoints that we host, from the command line."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from .conftest import Cli

PUSHED = """program: acme
data_type: conversions
direction: inbound
method: {method}
methodology: push
details:
  file_pattern: "conversions_*.csv"
"""


@pytest.fixture
def hosted(cli: Cli, programs: None, folder: Path) -> None:
    """The connections `orders` and `returns` of the folder, and `pushed` and `by-ftp`, which we host."""
    (folder / "pushed.yaml").write_text(PUSHED.format(method="sftp"))
    (folder / "by-ftp.yaml").write_text(PUSHED.format(method="ftp"))
    assert cli("apply", "-f", folder).code == 0


def test_a_login_is_made_shown_once_rotated_and_retired(cli: Cli, hosted: None, tmp_path: Path) -> None:
    made = cli("gateway", "create-login", "pushed", "--json").json
    assert (made["login"], made["folder"], made["trial_folder"]) == ("pushed", "/", "/test")
    assert made["uri"] == "sftp://pushed@localhost:22/"
    assert made["host_keys"][0]["fingerprint"].startswith("SHA256:")
    key = tmp_path / "key.pub"
    key.write_bytes(asyncssh.generate_private_key("ssh-ed25519", comment="them").export_public_key("pkcs8-pem"))
    rotated = cli("gateway", "rotate-login", "pushed", "--public-key-file", key, "--overlap-days", 3, "--json").json
    assert (rotated["password"], rotated["old_secrets"]) == (None, [made["secret"]])
    again = cli("gateway", "confirmation", "pushed")
    listed = cli("gateway", "logins", "--json")
    assert made["password"] not in again.out + listed.out
    assert [(each["kind"], each["valid"]) for each in listed.json] == [("password", True), ("public_key", True)]
    assert "verifier" not in listed.json[0]
    assert cli("gateway", "retire-login", "pushed", "--secret", made["secret"]).code == 0
    assert [each["valid"] for each in cli("gateway", "logins", "--json").json] == [False, True]
    assert cli("gateway", "retire-login", "pushed").code == 0
    assert [each["valid"] for each in cli("gateway", "logins", "--json").json] == [False, False]
    changes = [each["what"] for each in cli("show", "pushed", "--json").json["activity"]]
    assert changes[:4] == ["login.retired", "login.retired", "login.rotated", "login.created"]


def test_a_login_by_ftp_is_told_the_certificate(cli: Cli, hosted: None) -> None:
    made = cli("gateway", "create-login", "by-ftp", "--login", "Acme.Ftp", "--json").json
    assert (made["uri"], made["host_keys"]) == ("ftpes://Acme.Ftp@localhost:21/", [])
    assert made["certificate"].startswith("sha256:")


def test_a_login_by_mail_is_told_its_addresses(cli: Cli, hosted: None, folder: Path, tmp_path: Path) -> None:
    (folder / "mailed.yaml").write_text(PUSHED.format(method="email"))
    assert cli("apply", "-f", folder).code == 0
    made = cli("gateway", "create-login", "mailed", "--json").json
    (address,) = made["mail_addresses"]
    assert (made["uri"], made["port"]) == (f"mailto:{address}", 25)
    assert address.endswith("@localhost")
    assert len(address) == 40
    rotated = cli("gateway", "rotate-login", "mailed", "--json").json
    assert rotated["mail_addresses"][1:] == [address], "both are told while both are valid, the newest first"
    assert address in cli("gateway", "confirmation", "mailed").out
    key = tmp_path / "key.pub"
    key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_public_key())
    refused = cli("gateway", "create-login", "mailed", "--login", "other", "--public-key-file", key)
    assert (refused.code, "no public key" in refused.err) == (2, True)


def test_login_details_are_not_mailed_where_nobody_could_open_them(
    cli: Cli, hosted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("gateway", "create-login", "pushed").code == 0
    refused = cli("gateway", "mail-login", "pushed", "--to", "a@b.test")
    assert (refused.code, "CONNECTIONS_GATEWAY_HTTPS_PORT" in refused.err) == (2, True)
    monkeypatch.setenv("CONNECTIONS_GATEWAY_HTTPS_PORT", "8443")
    refused = cli("gateway", "mail-login", "pushed", "--to", "a@b.test\nBcc: c@d.test")
    assert (refused.code, "not an e-mail address" in refused.err) == (2, True)


def test_what_cannot_be_is_said_with_what_to_do(cli: Cli, hosted: None, tmp_path: Path) -> None:
    private = tmp_path / "key"
    private.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    for arguments, words in (
        (("create-login", "orders"), "methodology: push"),
        (("create-login", "nowhere"), "no connection 'nowhere'"),
        (("create-login", "pushed", "--login", "a b"), "cannot be a login"),
        (("create-login", "pushed", "--public-key-file", private), "private key"),
        (("rotate-login", "nobody"), "no login 'nobody'"),
        (("retire-login", "nobody"), "no login 'nobody'"),
    ):
        answer = cli("gateway", *arguments)
        assert (answer.code, words in answer.err) == (2, True), (arguments, answer.err)


def test_the_next_host_key_is_shown_beside_the_one_in_use(cli: Cli) -> None:
    (first,) = cli("gateway", "host-keys", "--json").json
    both = cli("gateway", "host-keys", "--rotate", "--json").json
    assert [key["used"] for key in both] == [True, False]
    assert both[0]["fingerprint"] == first["fingerprint"]
    assert both[0]["valid_until"] is not None
    assert cli("gateway", "host-keys", "--rotate").code == 2
