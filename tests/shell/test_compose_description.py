"""docker-compose.yaml and Dockerfile, as they stand: valid, watched, limited, and without a secret."""

from __future__ import annotations

import re

from data_connections.settings import PROJECT
from fixtures.compose import compose_config, services


def test_docker_compose_itself_takes_it() -> None:
    done = compose_config("--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_the_guide_says_may_be_set_has_its_place() -> None:
    table = (PROJECT / "docs" / "deploying.md").read_text().partition("## What may be set")[2].partition("\n## ")[0]
    names = re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"(?m)^\| (`[^|]+) \|", table)))
    assert "WORKERS" in names
    before = compose_config().stdout
    assert [name for name in names if compose_config(**{name: "7"}).stdout == before] == []


def test_every_service_is_limited_watched_and_comes_back() -> None:
    for name, service in services().items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        once = name in ("secrets", "prepare")
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert once or "profiles" in service or service["healthcheck"]["test"], name


def test_it_has_what_airflow_needs_to_grow() -> None:
    needed = {"postgres", "redis", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "gateway"}
    partners = {name for name, service in services().items() if service.get("profiles") == ["demo"]}
    assert services().keys() == needed | {"secrets", "prepare"} | partners
    assert partners == {"demo-sftp", "demo-ftps", "demo-mail"}


def test_no_secret_stands_in_it() -> None:
    words = ("password", "secret", "fernet")
    for name, service in services().items():
        if "profiles" in service:
            continue
        for variable, value in service.get("environment", {}).items():
            if any(word in variable.lower() for word in words):
                assert "/connections/keys/" in value, f"{name}: {variable}"


def test_the_image_is_built_from_the_lock_and_runs_without_rights() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    assert "--require-hashes --requirement requirements.txt" in text
    assert text.rstrip().endswith("USER connections")
