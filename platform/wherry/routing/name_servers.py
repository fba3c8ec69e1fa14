"""What DNS says about a name: TXT records, asked of the machine's name servers or the operator's."""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.name
import dns.resolver

from wherry.flow.ports import NoAnswer

_SECONDS = 5.0
_PORT = 53


@dataclass(frozen=True)
class NameServers:
    """`addresses`: IPv4[:PORT] or [IPv6][:PORT]; none for those of the machine."""

    addresses: tuple[str, ...] = ()

    def of(self, name: str) -> list[str]:
        try:
            answer = self._resolver().resolve(dns.name.from_text(name), "TXT", lifetime=_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise NoAnswer(f"no name server told ({type(error).__name__}); it is asked again") from error
        # One record may come as several strings of up to 255 bytes each (RFC 1035, section 3.3.14).
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.addresses)
        if self.addresses:
            pairs = [_parted(address) for address in self.addresses]
            resolver.nameservers = [host for host, _ in pairs]
            resolver.nameserver_ports = dict(pairs)
        return resolver


def _parted(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":") if address.count(":") == 1 or "]:" in address else (address, "", "")
    return host.strip("[]"), int(port) if port else _PORT
