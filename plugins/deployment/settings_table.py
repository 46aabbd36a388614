"""Every variable that an installation can be told by, as one table: `make docs` writes docs/settings.md from it."""

from __future__ import annotations

from typing import NamedTuple


class Variable(NamedTuple):
    """One variable of the environment.

    Attributes:
        name: Its name.
        default: What holds where it is not set, in words.
        meaning: What it says, as half a sentence.
    """

    name: str
    default: str
    meaning: str


INSTALLATION = (
    Variable("CONNECTIONS_HOME", "`.connections` in the project", "all that this machine keeps; two live side by side"),
    Variable(
        "CONNECTIONS_DATABASE_URL",
        "the embedded PostgreSQL",
        "the ledger, `postgresql://...`, version 15 or later; the password is better kept in a file that `PGPASSFILE` "
        "names",
    ),
    Variable(
        "CONNECTIONS_LANDING_URL",
        "`landing` in the home",
        "where originals are kept: a folder, or any fsspec URL such as `s3://my_conn@bucket/landing`",
    ),
    Variable("CONNECTIONS_INCLUDE", "`include` in the project", "schemas, templates, reference data and examples"),
    Variable("CONNECTIONS_SCHEMAS", "none", "more folders of data types beside `include/schemas`, with colons between"),
    Variable(
        "CONNECTIONS_ALLOW_ADDRESSES",
        "the file `allowed-addresses` in the home, else none",
        "networks that are not public and may be reached all the same, such as `10.1.0.0/16,192.168.7.20`",
    ),
    Variable("CONNECTIONS_LIMIT", "no limit", "connections that one program may have"),
    Variable(
        "CONNECTIONS_KEEP_ORIGINALS", "90", "days that files which came in are kept; 0 is for ever, here and below"
    ),
    Variable("CONNECTIONS_KEEP_SENT", "30", "days that files which went out are kept"),
    Variable("CONNECTIONS_KEEP_HISTORY", "400", "days of rejected rows, files not taken, incidents and expected days"),
    Variable("CONNECTIONS_KEEP_ACTIVITY", "for ever", "days of the activity log"),
    Variable(
        "CONNECTIONS_KEEP_JOURNAL",
        "90",
        "days of the landing area's journal: how old a backup may be that is made whole by it",
    ),
    Variable("CONNECTIONS_KEEP_RUNS", "90", "days of Airflow's own records of runs, tasks and events; 7 at least"),
    Variable(
        "CONNECTIONS_ALERT_EMAIL", "nobody", "addresses told of what no connection is to blame for, such as the books"
    ),
    Variable("CONNECTIONS_ALERT_SLACK", "none", "Airflow connection of a Slack webhook for the same"),
    Variable("CONNECTIONS_ALERT_APPRISE", "none", "Airflow connection with Apprise's URLs for the same"),
    Variable(
        "CONNECTIONS_HEARTBEAT_URL",
        "nobody is called",
        "address that is called every five minutes while all works, such as one of healthchecks.io; may hold a secret",
    ),
    Variable("CONNECTIONS_ALARM_DISK", "10", "per cent of the disk below which people are told"),
    Variable("CONNECTIONS_ALARM_STAGING", "20", "GiB of staged rows above which people are told"),
    Variable("CONNECTIONS_ALARM_DATABASE", "80", "per cent of the ledger's connections in use above which they are"),
    Variable("CONNECTIONS_BY", "the system's user", "who stands in the activity log for what commands change"),
    Variable("CONNECTIONS_PRELOAD", "off", "`1` in scheduler and workers: slow imports once, before tasks are forked"),
)
AIRFLOW = (
    Variable(
        "CONNECTIONS_AIRFLOW_URL", "where `make up` has put it", "Airflow's API server, for commands and the gateway"
    ),
    Variable(
        "CONNECTIONS_AIRFLOW_DATABASE_URL",
        "`make up` and Compose set it; else Airflow is not cleaned up",
        "Airflow's metadata database, as SQLAlchemy understands it, for the task that runs `airflow db clean`",
    ),
    Variable("CONNECTIONS_AIRFLOW_USER", "the local stack's login", "login for it"),
    Variable("CONNECTIONS_AIRFLOW_PASSWORD", "the local stack's", "its password"),
    Variable("CONNECTIONS_AIRFLOW_PASSWORD_FILE", "none", "a file that holds the password, in place of the variable"),
)
GATEWAY = (
    Variable("CONNECTIONS_HOSTED", "`hosted` in the home", "folders of partners; tasks, triggers and gateway share it"),
    Variable("CONNECTIONS_GATEWAY_BIND", "`127.0.0.1`", "address to listen on"),
    Variable("CONNECTIONS_GATEWAY_HOST", "`localhost`", "name under which partners reach it"),
    Variable("CONNECTIONS_GATEWAY_SFTP_PORT", "22", "port of SFTP"),
    Variable("CONNECTIONS_GATEWAY_FTP_PORT", "21", "port of FTP and FTPS"),
    Variable(
        "CONNECTIONS_GATEWAY_FTPS_PORT", "not offered", "port of FTPS that is TLS from the first byte, usually 990"
    ),
    Variable("CONNECTIONS_GATEWAY_SMTP_PORT", "25", "port of SMTP, for mails that partners send to us"),
    Variable("CONNECTIONS_GATEWAY_MAIL_DOMAIN", "the gateway's name", "domain of the addresses that partners mail to"),
    Variable(
        "CONNECTIONS_GATEWAY_HTTPS_PORT", "not offered", "port of the page that shows login details once, such as 8443"
    ),
    Variable(
        "CONNECTIONS_GATEWAY_HTTPS_ADDRESS", "`https://` with name and port", "what links to that page begin with"
    ),
    Variable(
        "CONNECTIONS_GATEWAY_NAMESERVER", "the system's", "name server that is asked for keys of senders, `10.0.0.1:53`"
    ),
    Variable("CONNECTIONS_GATEWAY_FTP_PASSIVE", "any", "ports of FTP's data connections, such as `50000-50050`"),
    Variable("CONNECTIONS_GATEWAY_FTP_ADDRESS", "the one they came to", "address that FTP clients are told to use"),
    Variable("CONNECTIONS_GATEWAY_PLAIN_FTP", "off", "`1`: FTP without TLS, where the connection allows it too"),
    Variable("CONNECTIONS_GATEWAY_CERTIFICATE", "one is made", "file with certificate and key, for all but SFTP"),
    Variable("CONNECTIONS_GATEWAY_DRAIN", "60", "seconds that transfers have to end when it is told to stop"),
)
DEPLOYMENT = (Variable("REDIS_ADDRESS", "`redis:6379`", "host and port of Redis, for the broker's address in `keys`"),)

PARTS = (
    ("The installation", INSTALLATION),
    ("Airflow", AIRFLOW),
    ("The gateway", GATEWAY),
    ("docker-compose.yaml", DEPLOYMENT),
)


def as_markdown() -> str:
    """Return the page."""
    parts = [
        "# Settings",
        "",
        "Made by `make docs` from `deployment.settings_table`. All settings are variables of the environment; each has "
        "a default. What Airflow itself is told (`AIRFLOW__...`) always wins over what Connections would tell it.",
    ]
    for title, variables in PARTS:
        parts += ["", f"## {title}", "", "| variable | default | means |", "|---|---|---|"]
        parts += [f"| `{each.name}` | {each.default} | {each.meaning} |" for each in variables]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
