# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody loads a set of 20 000 elements into nftables on the promoted node; nobody notices.

Purpose: nftables has one lock for all. A gate whose deadline were a set element would wait for it,
as long as the load lasts (measured: 568 ms); this one is a BPF map.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `nft -f` with the big set on the promoted node, at the
lowest priority. A node of the lab has one core and a kernel that nothing preempts: larger sets
would measure that.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; the same node serves.
"""
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
ELEMENTS = 20_000
FILE = "/run/big.nft"


def ruleset() -> str:
    elements = ", ".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(ELEMENTS))
    return f"""\
table ip big {{
    set many {{ type ipv4_addr; elements = {{ {elements} }} }}
    chain input {{ type filter hook input priority 0; ip saddr @many drop; }}
}}
"""


def steps(run: Run) -> None:
    def load(live: Live) -> None:
        live.active.put(FILE, ruleset())
        run.step(f"nft loads {ELEMENTS} elements on {live.active.name}")
        live.active.run("nice", "-n", "19", "nft", "-f", FILE, timeout=60)
    expect_unnoticed_act(run, load)
