"""Who comes in: how many, how fast they may guess, and which folder they get; the same for every protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from data_connections.gateway.configuration import GatewayConfiguration
from data_connections.gateway.desk import Arrived, Desk
from data_connections.gateway.failed_logins import FailedLogins
from data_connections.gateway.folder import TRIALS, FolderRules, PartnerFolder
from data_connections.gateway.journal import Journal
from data_connections.gateway.roster import Proof, Roster
from data_connections.spec import ConnectionSpec, InboundConnection
from data_connections.spec.details import HostedFolder, InboundFolder


class Reception:
    """Sessions and folders of one gateway.

    Args:
        configuration: Its limits and folders.
        roster: Who may log in.
        journal: Where it is written down.
        arrived: Told of files that were put into a folder.

    Attributes:
        mails_arriving: Mails whose bytes are on their way.
    """

    def __init__(self, configuration: GatewayConfiguration, roster: Roster, journal: Journal, arrived: Arrived) -> None:
        self._arrived = arrived
        self.configuration = configuration
        self.roster = roster
        self.journal = journal
        self.failed = FailedLogins()
        self.closing = False
        self._folders: dict[int, PartnerFolder] = {}
        self._sessions: dict[object, tuple[Proof | None, Callable[[], object]]] = {}
        self._strangers: dict[object, str] = {}
        self._visits: dict[object, Callable[[], object]] = {}
        self.mails_arriving = 0

    def greet(self, session: object, end: Callable[[], object], address: str) -> bool:
        """Let a connection come in, and return whether there is room for it.

        Args:
            session: Identifies it.
            end: Ends it.
            address: Where it comes from; one address cannot take the room of all others.
        """
        if (
            self.closing
            or len(self._sessions) >= self.configuration.sessions
            or len(self._strangers) >= self.configuration.greetings
            or list(self._strangers.values()).count(address) >= self.configuration.greetings_of_address
        ):
            return False
        self._sessions[session] = (None, end)
        self._strangers[session] = address
        return True

    def admit(self, session: object, proof: Proof, address: str, protocol: str) -> Desk | None:
        """Give a login its folder; None where it has too many sessions, or was retired in between."""
        spec = self.roster.spec(proof.connection_id)
        logins = Counter(each.login for each, _ in self._sessions.values() if each is not None)
        why = None
        if spec is None:
            why = "retired"
        elif spec.method != protocol.removesuffix("s"):
            why = f"the connection goes by {spec.method}"
        elif logins[proof.login] >= self.configuration.sessions_of_login:
            why = "too many sessions"
        if spec is None or why is not None:
            self.journal.login_refused(proof.login, address, protocol, str(why))
            return None
        _, end = self._sessions[session]
        self._strangers.pop(session, None)
        self._sessions[session] = (proof, end)
        self.failed.succeeded(address)
        self.journal.logged_in(proof, address, protocol)
        folder = self._folder(proof.connection_id, spec)
        return Desk(proof, folder, self.journal, lambda: not self.closing, self._arrived)

    def visit(self, session: object, end: Callable[[], object]) -> None:
        """Note a connection that nobody logs in by, such as a mail server's; it takes no place from the others."""
        self._visits[session] = end

    def part(self, session: object) -> None:
        """A connection has ended."""
        self._sessions.pop(session, None)
        self._strangers.pop(session, None)
        self._visits.pop(session, None)

    def end_retired(self) -> None:
        """End the sessions of logins, passwords and keys that are not valid any more."""
        for proof, end in list(self._sessions.values()):
            if proof is not None and not self.roster.holds(proof):
                end()

    def end_all(self) -> None:
        """End every session."""
        for end in [*(end for _, end in self._sessions.values()), *self._visits.values()]:
            end()

    def sessions(self) -> int:
        """Return how many connections are open, logged in or not."""
        return len(self._sessions) + len(self._visits)

    def transfers(self) -> int:
        """Return how many files and mails are on their way in or out."""
        return self.mails_arriving + sum(
            len(each.open_uploads) + len(each.open_downloads) for each in self._folders.values()
        )

    def _folder(self, connection_id: int, spec: ConnectionSpec) -> PartnerFolder:
        rules = rules_of(spec)
        folder = self._folders.get(connection_id)
        if folder is None:
            folder = PartnerFolder(self.configuration.hosted / str(connection_id), rules)
            self._folders[connection_id] = folder
        folder.change_rules(rules)
        return folder


def rules_of(spec: ConnectionSpec) -> FolderRules:
    """Return what logins of a hosted connection may do in its folder."""
    details = spec.details
    assert isinstance(details, HostedFolder)  # noqa: S101 - the roster holds no others
    if not isinstance(spec, InboundConnection):
        return FolderRules(False, 0, details.quota_bytes, details.quota_files)
    answers = [details.result_folder] if isinstance(details, InboundFolder) and details.result_folder else []
    folders = (TRIALS.decode(), *answers)
    return FolderRules(True, spec.limits.max_bytes, details.quota_bytes, details.quota_files, folders)
