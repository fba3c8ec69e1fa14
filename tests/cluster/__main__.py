"""`python -m tests.cluster up` starts a cluster that stays and prints its kubeconfig; `down` ends all that stay."""

from __future__ import annotations

import sys

from tests.cluster import lifecycle


def main() -> None:
    match sys.argv[1:]:
        case ["up"]:
            print(lifecycle.up(stay=True).kubeconfig)
        case ["down"]:
            lifecycle.down_all()
        case _:
            sys.exit("usage: python -m tests.cluster up|down")


main()
