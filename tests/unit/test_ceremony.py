"""The key ceremony of docs/keys.md, word by word: each command that stands there is run, in its order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"`((?:crm|openssl|mv) [^`…]+)`")
ONTO_SERVER = "crm provision --write-config"


def commands() -> list[str]:
    section = (ROOT / "docs/keys.md").read_text().partition("## The ceremony")[2].partition("\n## ")[0]
    steps = section.partition("1. Start the machine")[2].partition("`rotate`, `revoke`")[0]
    return [" ".join(one.split()) for one in COMMAND.findall(steps)]


def held(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_ceremony_can_be_followed_and_leaves_no_secret_on_the_server_that_is_not_its(tmp_path):
    program = tmp_path / "bin/crm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m infra.cli "$@"\n')
    program.chmod(0o755)
    media, server = tmp_path / "media", tmp_path / "etc/crm"
    for stick in ("stick", "second", "third"):
        (media / stick).mkdir(parents=True)
    path = f"{program.parent}:{os.environ['PATH']}"
    env = {"PATH": path, "CREDS": str(media / "stick/nats/creds"), "HOME": str(tmp_path)}
    told, ran = {}, commands()
    for command in ran:
        before = {}
        if command.startswith(ONTO_SERVER):
            shutil.copytree(media / "stick/nats", server)
            before = held(server / "creds")
        real = command.replace("/media/", f"{media}/").replace("/etc/crm", str(server))
        done = subprocess.run(real, shell=True, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        told[command.split(" $")[0]] = done.stdout
        if before:
            assert held(server / "creds") == before, "nothing is made anew"
    assert [command.split(" $")[0] for command in ran[:3]] == [
        "crm keys init",
        "openssl x509 -in",
        "mv",
    ]
    assert re.search("Fingerprint=([0-9A-F]{2}:){31}", told["openssl x509 -in"])
    assert (server / "nats.json").exists()
    left = {file.name for file in (server / "creds").iterdir()}
    gone = {"ca.tls.key", "provisioner.nk", "provisioner.tls.key", "operator.age"}
    assert not left & {*gone, "GTM.nk", "GTM.tls.key", "GTM.age", "GTM.witness"}
    safe = {str(file.relative_to(media)) for stick in ("second", "third") for file in (media / stick).rglob("*.*")}
    assert {"second/ca.tls.key", "second/provisioner/provisioner.nk", "third/operator.age"} < safe
    assert {f"third/GTM/GTM.{ending}" for ending in ("nk", "tls.key", "crt", "age", "witness")} < safe
