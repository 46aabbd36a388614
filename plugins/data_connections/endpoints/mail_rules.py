"""Which files in mails a connection takes: by name, and by senders that our own mail server vouches for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import authres

from data_connections.endpoints.arrival import ArrivalRules, Reason
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.names import is_safe_name
from data_connections.spec.details import InboundFolder, InboundSource
from data_connections.spec.mailbox import MailSource


@dataclass(frozen=True, slots=True)
class MailFile(RemoteFile):
    """A file in a mail, as a mailbox lists it; a mail that nothing can be taken from stands as one file.

    Attributes:
        results: The texts of the mail's ``Authentication-Results``, from the top.
        problem: Why it is not taken whatever the connection's rules are.
    """

    results: tuple[str, ...] = ()
    problem: Reason | None = None


@dataclass(frozen=True)
class MailRules(ArrivalRules):
    """The rules of a connection by mail.

    Attributes:
        senders: Addresses, and domains that begin with ``@``, in small letters; anybody's mails where empty.
        authserv_id: How our own mail server calls itself.
    """

    senders: tuple[str, ...] = ()
    authserv_id: str = ""

    def objection(self, name: str) -> Reason | None:
        """Return why a file of this name is not taken; in a mail every file is complete."""
        return self.unfitness(name) if is_safe_name(name) else Reason.UNSAFE_NAME

    def refusal(self, file: RemoteFile) -> Reason | None:
        """Return why a listed file is not taken, None where it is."""
        if not isinstance(file, MailFile):
            return self.objection(file.name)
        return self._distrust(file) or file.problem or self.objection(file.name)

    def _distrust(self, file: MailFile) -> Reason | None:
        if not self.senders or file.problem in (Reason.UNREADABLE_MAIL, Reason.LARGE_MAIL):
            return None
        sender = file.sender or ""
        if not is_proven(sender, file.results, self.authserv_id):
            return Reason.SENDER_UNPROVEN
        domain = sender.partition("@")[2]
        return None if {sender, f"@{domain}"} & set(self.senders) else Reason.SENDER_REFUSED


def rules_of(details: InboundSource) -> ArrivalRules:
    """Return which files a connection with these details takes."""
    if isinstance(details, InboundFolder):
        return ArrivalRules.of_folder(details)
    rules = ArrivalRules.of(details.file_pattern, details.exclude)
    if not isinstance(details, MailSource):
        return rules
    return MailRules(rules.pattern, rules.exclude, senders=details.senders, authserv_id=details.verifier)


def is_proven(sender: str, results: Iterable[str], authserv_id: str) -> bool:
    """Whether our mail server vouches for the address in From.

    Only the topmost ``Authentication-Results`` of that name counts: our server puts it above all that a sender wrote.
    It has to say ``dmarc=pass`` for the sender's domain, or ``dkim=pass`` or ``spf=pass`` for a domain that stands for
    it; ``dmarc=fail`` outweighs those.
    """
    domain = sender.partition("@")[2].lower()
    ours = next(filter(None, (_read(text, authserv_id) for text in results)), None)
    if not domain or ours is None:
        return False
    verdicts = [(each.method.lower(), (each.result or "").lower(), each) for each in ours.results]
    if any(method == "dmarc" and result == "fail" for method, result, _ in verdicts):
        return False
    return any(result == "pass" and _stands_for(method, each, domain) for method, result, each in verdicts)


def _read(text: str, authserv_id: str) -> authres.AuthenticationResultsHeader | None:
    """Return the header where our server wrote it; one that cannot be read proves nothing."""
    if text.partition(";")[0].strip().partition(" ")[0].strip('"').lower() != authserv_id.lower():
        return None
    try:
        return authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except authres.AuthResError:
        return authres.AuthenticationResultsHeader(authserv_id=authserv_id, results=[])


def _stands_for(method: str, result: authres.AuthenticationResult, domain: str) -> bool:
    values = {(each.type, each.name): _domain(each.value) for each in result.properties}
    if method == "dmarc":
        return values.get(("header", "from")) == domain
    if method == "spf":
        return values.get(("smtp", "mailfrom")) == domain
    if method != "dkim":
        return False
    signer = values.get(("header", "d")) or values.get(("header", "i")) or ""
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))


def _domain(value: str | None) -> str:
    return (value or "").rpartition("@")[2].strip().lower()
