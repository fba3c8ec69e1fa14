"""The door of git over SSH, without a client."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Any, cast

import pytest
from wherry.ssh import door


@dataclass
class Listener:
    """A listener to which this happens, one after another."""

    happens: list[socket.socket | OSError]

    def accept(self) -> tuple[socket.socket, None]:
        what = self.happens.pop(0)
        if isinstance(what, OSError):
            raise what
        return what, None


def test_a_door_that_is_out_of_files_for_a_while_takes_the_next_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_PAUSE", 0.0)
    client, server = socket.socketpair()
    many, closed = OSError(errno.EMFILE, "Too many open files"), OSError(errno.EINVAL, "Invalid argument")
    nothing: Any = None
    found = door.Door(nothing, nothing, nothing, nothing, nothing, "")
    with client:
        client.sendall(b"nobody\n")
        found.serve(cast(socket.socket, Listener([many, server, closed])))
        client.settimeout(60)
        assert client.recv(1) == b""
