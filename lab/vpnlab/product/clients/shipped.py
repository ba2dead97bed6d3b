# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gateways of a site offer that took docs/reference/swanctl.conf.example as it is."""
from __future__ import annotations

import re
from pathlib import Path

from ..ipsec_gateway import Lifetimes, Offers

EXAMPLE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "swanctl.conf.example"
IKEV2, L2TP = "ikev2", "l2tp-ipsec"


def values(option: str, text: str) -> list[str]:
    """Of an option, in the order in which connections and their children have it."""
    return re.findall(rf"^ *{option} = (.+)$", text, re.MULTILINE)


def offers(more_for_l2tp: str = "") -> Offers:
    """The example's proposals. `more_for_l2tp`: one of IKE that the site names beside them."""
    text = EXAMPLE.read_text(encoding="utf-8")
    ikev2, l2tp = values("proposals", text)
    esp_of_ikev2, esp_of_l2tp = values("esp_proposals", text)
    return Offers(",".join(filter(None, (l2tp, more_for_l2tp))), esp_of_l2tp, ikev2, esp_of_ikev2)


def lifetimes() -> Lifetimes:
    """Of IKEv2, which has the longer one of a child; and no gateway of a run lives so long."""
    text = EXAMPLE.read_text(encoding="utf-8")
    ike, child, *_ = values("rekey_time", text)
    return Lifetimes(ike=ike, child=child, dpd=values("dpd_delay", text)[0])


def mobike() -> bool:
    """Of IKEv2."""
    return values("mobike", EXAMPLE.read_text(encoding="utf-8"))[0] == "yes"
