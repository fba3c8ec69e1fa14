import os
import socket
import sys

import pytest
from wherry.runtimes.machine.listen import Listener, listeners, parse, said

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="the samples are a little-endian kernel's")
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 2
   2: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 3
   3: 0700D50A:1F90 0100D50A:8000 01 00000000:00000000 00:00000000 00000000  1001        0 4
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0
   1: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 0
   2: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 0
"""


def test_the_kernels_tables_are_read() -> None:
    assert parse(TCP) == [Listener(8080, "127.0.0.1"), Listener(3000, "0.0.0.0")]
    assert parse(TCP6) == [Listener(8080, "::"), Listener(8081, "::ffff:127.0.0.1"), Listener(8082, "::1")]
    assert [each.only_inside for each in parse(TCP6)] == [False, True, True]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([], "It listens on no port."),
        ([Listener(3000, "0.0.0.0")], "It listens on port 3000 instead."),
        ([Listener(5432, "::"), Listener(3000, "0.0.0.0")], "It listens on ports 3000, 5432 instead."),
        (
            [Listener(8080, "127.0.0.1"), Listener(3000, "::")],
            "It listens on 127.0.0.1 only, where nothing outside its container can reach it.",
        ),
    ],
)
def test_a37_what_it_does_instead_is_said_in_one_line(found: list[Listener], line: str) -> None:
    assert said(8080, found) == line


def test_a_real_listener_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert Listener(server.getsockname()[1], "127.0.0.1") in listeners(os.getpid())
    assert listeners(2**22 + 1) == []
