"""What every TextRecords does: with a real DNS server, and in memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from wherry.flow.ports import NoAnswer, TextRecords
from wherry.routing.name_servers import NameServers

from tests.fakes.texts import InMemoryTexts


class NameServer:
    """Answers TXT questions over UDP, from `records`; SERVFAIL for what is in `silent`."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.silent: set[str] = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            data, asker = self.socket.recvfrom(4096)
            if data == b"end":
                return
            question = dns.message.from_wire(data)
            answer = dns.message.make_response(question)
            answer.flags |= dns.flags.RA
            name = question.question[0].name.to_text(omit_final_dot=True)
            if name in self.silent:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif texts := self.records.get(name):
                # Each text in two strings, as long ones come.
                answer.answer.append(
                    dns.rrset.from_text_list(
                        question.question[0].name, 60, "IN", "TXT", [f'"{text[:5]}" "{text[5:]}"' for text in texts]
                    )
                )
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self.socket.sendto(answer.to_wire(), asker)

    def close(self) -> None:
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


@dataclass(frozen=True)
class Zone:
    texts: TextRecords
    put: Callable[[str, list[str]], None]
    silence: Callable[[str], None]


@pytest.fixture(params=["memory", "name-server"])
def zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    if request.param == "memory":
        fake = InMemoryTexts()
        yield Zone(fake, fake.records.__setitem__, fake.silent.add)
        return
    server = NameServer()
    yield Zone(NameServers((server.address,)), server.records.__setitem__, server.silent.add)
    server.close()


def test_b63_texts_come_whole_and_all_of_them(zone: Zone) -> None:
    zone.put("_wherry.example.org", ["wherry-verification=abc", "another text"])
    assert sorted(zone.texts.of("_wherry.example.org")) == ["another text", "wherry-verification=abc"]


def test_b63_a_name_without_records_has_no_texts(zone: Zone) -> None:
    assert zone.texts.of("_wherry.example.net") == []


def test_b63_servers_that_fail_are_told_apart_from_no_record(zone: Zone) -> None:
    zone.silence("_wherry.example.com")
    with pytest.raises(NoAnswer, match="no name server told"):
        zone.texts.of("_wherry.example.com")
