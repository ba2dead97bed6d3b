# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/use/install-by-hand.md as the lab reads it."""
import pytest

from vpnlab.host.errors import LabError
from vpnlab.rollout.by_hand import DOCUMENT, Block, blocks, with_values
from vpnlab.product.cluster import TUNED, corosync_conf
from vpnlab.steps import scenario

PAGE = """\
Text.

```
# on gw1
one
two
```
"""


def test_a_block_names_where_it_belongs():
    assert blocks(PAGE) == [Block("gw1", "one\ntwo\n")]


@pytest.mark.parametrize("broken", (PAGE.replace("# on gw1\n", ""), PAGE.replace("two\n```", "two"),
                                    PAGE.replace("```\n#", "```sh\n#")))
def test_a_block_without_a_place_or_an_end_is_refused(broken):
    with pytest.raises(LabError):
        blocks(broken)


def test_a_value_that_is_replaced_stands_on_the_page_once():
    page = blocks(PAGE)
    assert with_values(page, {"two": "three"}) == [Block("gw1", "one\nthree\n")]
    for value in ("four", "o"):
        with pytest.raises(LabError):
            with_values(page, {value: "three"})


def test_the_scenario_knows_all_that_the_page_asks_for():
    steps = scenario.load("install-by-hand").steps.__globals__
    page = with_values(blocks(DOCUMENT.read_text(encoding="utf-8")), steps["VALUES"])
    commands = [block.commands for block in page]
    for name in ("STATUS", "SESSIONS"):
        assert commands.count(steps[name]) == 1
    assert {block.place for block in page} <= {steps["EVERY"], steps["SERVING"], *steps["FRESH"]}


def test_the_page_has_the_tuned_profile():
    profile = corosync_conf([], TUNED).partition("totem {")[2].partition("quorum {")[0]
    wanted = {line.strip() for line in profile.splitlines() if ": " in line and "#" not in line}
    found = {line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines()}
    assert wanted - {"cluster_name: vpnha"} <= found
