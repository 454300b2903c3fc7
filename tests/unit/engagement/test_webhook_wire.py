"""Where a webhook may go, and what a hostile receiver can do to us. No database."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engagement.webhooks import wire
from engagement.webhooks.errors import AddressForbidden
from tests.unit.engagement import receivers
from tests.unit.engagement.receivers import Receiver

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "198.18.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::",
    "2001:db8::1", "::7f00:1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "192.0.0.8",
    "192.0.0.170", "192.88.99.1", "198.51.100.7", "203.0.113.9", "100::1", "2001:10::1", "2001:2::1", "3fff::1", "5f00::1", "2002:a00:1::",
    "2001:470:1f0b::5efe:127.0.0.1", "2001:470:1f0b::200:5efe:10.0.0.1",
]  # fmt: skip


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names resolve to the next of the answers, the last one for ever; gives the names asked."""
    asked: list[str] = []
    rest = list(answers)

    def ask(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        asked.append(host)
        answer = rest.pop(0) if len(rest) > 1 else rest[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answer.split()]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return asked


class TestAddresses:
    @pytest.mark.parametrize("ip", PRIVATE)
    def test_that_are_not_public_are_refused(self, ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
        resolving(monkeypatch, ip)
        with pytest.raises(AddressForbidden):
            wire.target_of("https://partner.example/hooks")

    @pytest.mark.parametrize("ip", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
    def test_that_are_public_pass(self, ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
        resolving(monkeypatch, ip)
        assert wire.target_of("https://partner.example:8443/a?b=c").ips == (str(ipaddress.ip_address(ip)),)

    def test_one_private_one_among_public_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        resolving(monkeypatch, "93.184.216.34 127.0.0.1")
        with pytest.raises(AddressForbidden):
            wire.target_of("https://partner.example/")

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
            "https://127.1/", "https://0/", "https://0.0.0.0/", "https://0x7f.1/", "https://017700000001/", "https://[::ffff:7f00:1]/",

            "https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://[::]/", "https://[::127.0.0.1]/",
            "https://LOCALHOST/", "//127.0.0.1/", "https:127.0.0.1", "https://127.0.0.1%2f@partner.example/",
            "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25lo]/", "https://169.254.169.254/latest/meta-data/",
            "http://partner.example/", "ftp://partner.example/", "file:///etc/passwd", "gopher://partner.example/", "javascript:alert(1)",
            "https://user:password@partner.example/", "https://partner.example:22/", "https://partner.example:25/", "https://partner.example:0/",
            "https://partner.example:99999/", "https://partner.example/#fragment", "https://", "https:///x", "", "partner.example",
            "https://partner.example/\r\nHost: x", "https://partner.example\\@127.0.0.1/", "https://p\u00e4rtner.example/",
            "https://a b.example/",
            "https://" + "a" * 600 + ".example/",
        ],
    )  # fmt: skip
    def test_that_are_no_address_of_a_partner_are_refused(self, url: str) -> None:
        with pytest.raises(AddressForbidden):
            wire.target_of(url)

    @pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "ip6-localhost", "localhost.localdomain", "127.0.0.1.invalid"])
    def test_other_names_of_this_machine_lead_nowhere(self, host: str) -> None:
        """Whether they are known is the resolver's business; known or not, nothing is sent there."""
        with pytest.raises((AddressForbidden, OSError)):
            wire.target_of(f"https://{host}/")

    def test_a_name_that_nobody_has_is_another_matter(self) -> None:
        with pytest.raises(OSError):  # noqa: PT011  (whatever the resolver says)
            wire.target_of("https://no-such-name.invalid/")

    def test_a_resolver_that_never_answers_meets_the_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wire, "RESOLVE_SECONDS", 0.2)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: time.sleep(5))
        started = time.monotonic()
        assert wire.post("https://partner.example/", b"{}", {}).error == "timeout"
        assert time.monotonic() - started < 2

    def test_a_name_that_changes_after_the_check_gains_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = resolving(monkeypatch, "93.184.216.34", "127.0.0.1")
        connected: list[Any] = []

        def connect(address: Any, timeout: float) -> Any:
            connected.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "create_connection", connect)
        assert wire.post("https://partner.example/", b"{}", {}).error == "connection"
        assert connected == [("93.184.216.34", 443)]
        assert len(asked) == 1

    def test_this_machine_is_for_tests_only(self, settings: Any) -> None:
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
        assert wire.target_of("http://localhost:8123/").port == 8123
        # Only this machine, not the network it stands in.
        for url in ("http://10.0.0.1/", "https://192.168.1.1/", "http://169.254.169.254/"):
            with pytest.raises(AddressForbidden):
                wire.target_of(url)


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
    monkeypatch.setattr(wire, "TOTAL_SECONDS", 1.0)
    with receivers.running() as running:
        yield running


class TestPost:
    def test_sends_and_says_what_was_answered(self, receiver: Receiver) -> None:
        answer = wire.post(receiver.url, b'{"a":1}', {"Content-Type": "application/json", "webhook-id": "msg_1"})
        assert (answer.status, answer.good) == (200, True)
        [(headers, body)] = receiver.received
        assert (body, headers["webhook-id"], headers["host"]) == (b'{"a":1}', "msg_1", f"localhost:{receiver.port}")

    def test_follows_no_redirect(self, receiver: Receiver) -> None:
        receiver.plan = ["redirect"]
        answer = wire.post(receiver.url, b"{}", {})
        assert (answer.status, answer.good, len(receiver.received)) == (302, False, 1)

    @pytest.mark.parametrize("what", ["hang", "drip"])
    def test_who_answers_slowly_or_never_is_cut_off(self, receiver: Receiver, what: str) -> None:
        receiver.plan = [what]
        started = time.monotonic()
        answer = wire.post(receiver.url, b"{}", {})
        assert (answer.status, answer.error) == (None, "timeout")
        assert time.monotonic() - started < 2.5

    def test_who_never_says_hello_is_cut_off_too(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """TLS begins with words of both sides; a server that takes the call and says nothing meets the same deadline."""
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
        monkeypatch.setattr(wire, "TOTAL_SECONDS", 1.0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            started = time.monotonic()
            answer = wire.post(f"https://localhost:{server.getsockname()[1]}/", b"{}", {})
        assert (answer.status, answer.error) == (None, "timeout")
        assert time.monotonic() - started < 2.5

    def test_a_flood_is_not_read(self, receiver: Receiver) -> None:
        receiver.plan = ["flood"]
        started = time.monotonic()
        assert wire.post(receiver.url, b"{}", {}).status == 200
        assert time.monotonic() - started < 2.5

    def test_nobody_there(self, settings: Any) -> None:
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        assert wire.post(f"http://localhost:{port}/", b"{}", {}).error == "connection"

    def test_what_is_not_http_is_a_broken_connection(self, settings: Any) -> None:
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def babble() -> None:
                peer, _ = server.accept()
                peer.recv(65536)
                peer.sendall(b"220 smtp.example ESMTP\r\n")
                peer.close()

            threading.Thread(target=babble, daemon=True).start()
            assert wire.post(f"http://localhost:{port}/", b"{}", {}).error == "connection"

    def test_a_certificate_of_ones_own_making_is_refused(self, settings: Any, tmp_path: Path) -> None:
        settings.HUB_ALLOW_PRIVATE_WEBHOOKS = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_self_signed(tmp_path))
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def serve() -> None:
                peer, _ = server.accept()
                try:
                    context.wrap_socket(peer, server_side=True).close()
                except OSError:
                    peer.close()

            threading.Thread(target=serve, daemon=True).start()
            assert wire.post(f"https://localhost:{port}/", b"{}", {}).error == "tls"


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
