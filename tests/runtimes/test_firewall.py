from wherry.runtimes.machine import firewall, naming


def test_the_rules_are_exactly_these() -> None:
    x = naming.short("p1")
    assert firewall.chains("p1", ["192.0.2.2"]) == (
        "*filter\n"
        f":WHERRY-{x}-HOST - [0:0]\n"
        f":WHERRY-{x}-AWAY - [0:0]\n"
        f"-A WHERRY-{x}-HOST -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN\n"
        f"-A WHERRY-{x}-HOST -d 192.0.2.2/32 -p udp --dport 53 -j RETURN\n"
        f"-A WHERRY-{x}-HOST -d 192.0.2.2/32 -p tcp --dport 53 -j RETURN\n"
        f"-A WHERRY-{x}-HOST -j DROP\n"
        f"-A WHERRY-{x}-AWAY -d 169.254.0.0/16 -j DROP\n"
        "COMMIT\n"
    )
    assert firewall.jumps("p1", "DOCKER-USER") == [
        ["INPUT", "-i", f"wh{x}-+", "-j", f"WHERRY-{x}-HOST"],
        ["DOCKER-USER", "-i", f"wh{x}-+", "-j", f"WHERRY-{x}-AWAY"],
    ]


def test_chain_names_fit_into_iptables_28_characters() -> None:
    assert all(len(name) <= 28 for name in firewall.names("a-very-long-platform-id-indeed"))


def test_only_a_resolver_that_is_this_machine_by_an_outside_address_is_let_through() -> None:
    conf = "# ours\nnameserver 127.0.0.53\nnameserver 192.0.2.2\nnameserver 9.9.9.9\nnameserver fe80::1\nsearch lan\n"
    own = ["127.0.0.1", "127.0.0.53", "192.0.2.2", "fe80::1"]
    assert firewall.host_resolvers(conf, own) == ["192.0.2.2"]
    assert firewall.host_resolvers("", own) == []
