# SPDX-License-Identifier: GPL-2.0-or-later
"""The profiles of clients, the players that have their settings, and the shipped connections."""
from __future__ import annotations

import importlib.util
import re
import types
from pathlib import Path

import pytest

from capture_packets import ike
from test_ipsec_config import parsed
from vpnlab.host.stage import ROOT
from vpnlab.host.topology import L2TP, NAT
from vpnlab.product.charon import QUICK_MODE, lose_ike
from vpnlab.product.clients import shipped
from vpnlab.product.clients.player import (PlayedIkev2, PlayedL2tpIpsec, charon_settings, counted,
                                           dialler_of, header_filter, ppp_options, without_options)
from vpnlab.product.clients.profile import MARKS, BadProfiles, profiles
from vpnlab.product.ipsec_gateway import Auth, gateway_connections, ikev2_name
from vpnlab.product.l2tp_client import client_config
from vpnlab.scenarios import files
from vpnlab.steps import scenario
from vpnlab.steps.clients.moments import MOMENTS, hello_filter
from vpnlab.steps.clients.outlive import amid_limit_ms, claim
from vpnlab.steps.clients.routers import answers, frames_of

PROFILES = profiles()
PLAYED = {key: profile for key, profile in PROFILES.items() if profile.play}
DOCUMENT = (ROOT / "docs" / "use" / "clients.md").read_text(encoding="utf-8")
GOOD = """\
[one]
name = "One"
protocol = "ikev2"
mark = "doc"
sources = ["its manual"]
unknown = ["ike.gives_up_s", "ike.dpd_s of a sleeping one"]
[one.ike]
proposals = ["aes256-sha256-modp2048"]
dpd = false
[one.marks]
"ike.dpd" = "mem"
[one.play]
scenario = "client-one"
by = ["charon"]
moment = "rekey"
behind_nat = false
not_played = ["its mood"]
[one.play.take]
ike_proposals = "ike.proposals"
dpd_s = "ike.dpd"
[one.play.chosen]
retransmit_tries = 3
"""
NODE = types.SimpleNamespace(name="client1")


def read(tmp_path, text):
    path = tmp_path / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return profiles(path)


def test_a_profile_is_read(tmp_path):
    one = read(tmp_path, GOOD)["one"]
    assert (one.name, one.protocol) == ("One", "ikev2")
    assert (one.mark_of("ike.proposals"), one.mark_of("ike.dpd")) == ("doc", "mem")
    assert one.values == {"ike.proposals": ["aes256-sha256-modp2048"], "ike.dpd": False}
    assert one.play.settings == {"ike_proposals": ["aes256-sha256-modp2048"], "dpd_s": False,
                                 "retransmit_tries": 3}
    assert one.play.number("dpd_s", 30) == 0
    assert one.play.number("mtu", 1400) == 1400
    assert (one.play.taken["dpd_s"], one.play.chosen) == ("ike.dpd", {"retransmit_tries"})


@pytest.mark.parametrize("good, bad, named", [
    ('name = "One"', "", "name is missing"),
    ('protocol = "ikev2"', 'protocol = "ssh"', "protocol is 'ssh', not one of ikev2"),
    ('mark = "doc"', 'mark = "guess"', "mark is 'guess', not one of src, doc, thread, mem"),
    ('sources = ["its manual"]', "sources = []", "sources is missing"),
    ('mark = "doc"', 'mark = "doc"\nspeed = 1', "speed is not known"),
    ('"ike.dpd" = "mem"', '"ike.dpd_s" = "mem"', "marks has ike.dpd_s, of which there is no value"),
    ('"ike.dpd" = "mem"', '"ike.dpd" = "sure"', "ike.dpd is 'sure', not one of"),
    ('"ike.gives_up_s", ', '"ike.dpd", ', "unknown has ike.dpd, which"),
    ('"ike.gives_up_s", ', '"repeats", ', "unknown has repeats, which"),
    ('scenario = "client-one"', "", "play: scenario is missing"),
    ('moment = "rekey"', 'moment = "noon"', "play: moment is 'noon', not one of rekey, hello"),
    ("behind_nat = false", "behind_nat = 0", "play: behind_nat is missing: true or false"),
    ("behind_nat = false", "behind_nat = false\nhow = 1", "play: how is not known"),
    ('dpd_s = "ike.dpd"', 'dpd_s = "ike.dpd_s"', "take has dpd_s = ike.dpd_s, of which"),
    ('dpd_s = "ike.dpd"', 'dpd_s = "ike.proposals"', "dpd_s is ['aes256-sha256-modp2048'], not a"),
    ('dpd_s = "ike.dpd"', 'colour = "ike.dpd"', "no player has a setting colour"),
    ("retransmit_tries = 3", "retransmit_tries = true", "retransmit_tries is True, not a number"),
    ("retransmit_tries = 3", "dpd_s = 3", "dpd_s is in take and in chosen"),
    ("[one.play.take]", "[one.play.chosen.x]", "play: take is missing"),
])
def test_each_mistake_is_named(tmp_path, good, bad, named):
    assert good in GOOD
    text = GOOD.replace(good, bad)
    if "chosen.x" in bad:
        text = text[:text.index(bad)]
    with pytest.raises(BadProfiles, match=re.escape("[one]: ")) as found:
        read(tmp_path, text)
    assert named in str(found.value)


def test_all_mistakes_are_named_at_once(tmp_path):
    text = GOOD.replace('"doc"', '"guess"').replace('"ikev2"', '"ssh"')
    other = GOOD.replace("one", "two").replace("client-two", "client-one")
    with pytest.raises(BadProfiles) as found:
        read(tmp_path, text + other.replace('"mem"', '"sure"'))
    lines = str(found.value).splitlines()
    assert [line.partition("[")[2].partition("]")[0] for line in lines] == ["one", "one", "two", ""]
    assert "scenario client-one plays more than one client" in lines[3]


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path):
    with pytest.raises(BadProfiles, match="line 2"):
        read(tmp_path, "[one]\nname = \n")


def test_every_played_client_has_its_scenario_with_the_nodes_that_it_needs():
    assert {profile.play.scenario for profile in PLAYED.values()} == {
        name for name in scenario.names() if name.startswith("client-") and
        name != "client-names-address"}
    for key, profile in PLAYED.items():
        loaded = scenario.load(profile.play.scenario)
        assert (NAT in loaded.scenario.nodes) == profile.play.behind_nat
        text = files()[profile.play.scenario].read_text(encoding="utf-8")
        assert f'outlive(run, "{key}")' in text
        assert "this is not the" in text.replace("\n", " ")
        assert profile.play.moment in MOMENTS


def test_the_output_claims_no_real_client():
    for profile in PLAYED.values():
        text = claim(profile)
        assert "not the real client" in text and profile.name in text
        assert all(each in text for each in profile.play.not_played)
        assert all(each in text for each in profile.play.chosen)
    assert MARKS["mem"] in claim(PLAYED["windows-l2tp-ipsec"])


def connection(profile):
    """What the player of IPsec asks charon for."""
    player = dialler_of(profile)(NODE, gateway=L2TP)
    assert isinstance(player, (PlayedIkev2, PlayedL2tpIpsec))
    return parsed(player.connections())["connections"]["vpn"]


def suits(offer: set[str], wish: str) -> bool:
    """Whether a client's proposal has every algorithm of one of the gateway's; names are few."""
    words = set(wish.split("-"))
    return any(set(re.sub("-prf[a-z0-9]+", "", each).split("-")) <= words for each in offer)


IPSEC = [key for key, profile in PLAYED.items() if profile.protocol != "l2tp"]


@pytest.mark.parametrize("key", IPSEC)
def test_the_shipped_connections_have_what_a_client_asks_for(key):
    profile = PLAYED[key]
    wish = connection(profile)
    named = "aes256-sha1-modp1024" if key == "android-l2tp-ipsec" else ""
    gateway = parsed(gateway_connections(offers=shipped.offers(named)))["connections"][
        "l2tp-ipsec" if profile.protocol == "l2tp-ipsec" else ikev2_name(Auth.EAP)]
    child, = gateway["children"].values()
    assert any(suits(set(gateway["proposals"].split(",")), each)
               for each in wish["proposals"].split(","))
    assert any(suits(set(child["esp_proposals"].split(",")), each)
               for each in wish["children"]["vpn"]["esp_proposals"].split(","))


def test_the_shipped_connections_are_the_example_s_and_have_no_weak_algorithm():
    offers = shipped.offers()
    for each in (offers.l2tp, offers.l2tp_esp, offers.ikev2, offers.ikev2_esp):
        assert each in shipped.EXAMPLE.read_text(encoding="utf-8")
        assert not re.search("modp1024|3des|md5|null", each)
    assert shipped.offers("x").l2tp == f"{offers.l2tp},x"
    assert offers.ikev2.split(",")[0].endswith("modp2048")
    assert shipped.mobike()
    # Longer than what Windows (58:46 minutes) and Android (an hour) have themselves.
    assert (shipped.lifetimes().ike, shipped.lifetimes().child) == ("8h", "2h")


def test_a_played_windows_has_its_timers_and_no_dead_peer_detection():
    wish = connection(PLAYED["windows-ikev2"])
    assert (wish["rekey_time"], wish["dpd_delay"], wish["mobike"]) == ("27360s", "0s", "yes")
    child = wish["children"]["vpn"]
    assert (child["rekey_time"], child["inactivity"]) == ("3526s", "300s")
    assert wish["local"]["auth"] == "eap-mschapv2"


def test_a_played_android_speaks_from_its_own_port_to_one_that_takes_any():
    play = PLAYED["android-l2tp-ipsec"].play
    child = connection(PLAYED["android-l2tp-ipsec"])["children"]["vpn"]
    assert child["local_ts"] == "dynamic[udp]"
    assert f"port = {play.settings['source_port']}\n" in client_config(
        port=play.settings["source_port"])
    assert connection(PLAYED["apple-l2tp-ipsec"])["children"]["vpn"][
        "local_ts"] == "dynamic[udp/1701]"


def test_charon_repeats_as_the_profile_does():
    settings = parsed(charon_settings(PLAYED["apple-ikev2"].play))["charon"]
    assert settings == {"retransmit_timeout": "1.0", "retransmit_base": "1.0",
                        "retransmit_tries": "5"}
    assert charon_settings(PLAYED["windows-l2tp-ipsec"].play) == ""
    # The first repeat, and the second one.
    assert amid_limit_ms(PLAYED["apple-ikev2"]) == 3000
    assert amid_limit_ms(PLAYED["windows-ikev2"]) == 12200
    assert amid_limit_ms(PLAYED["apple-l2tp-ipsec"]) == 1000


def test_pppd_has_the_profile_s_echoes():
    apple = PLAYED["apple-l2tp-ipsec"].play
    assert ppp_options(apple) == ["lcp-echo-interval 10", "lcp-echo-failure 4", "mru 1500",
                                  "lcp-echo-adaptive"]
    assert without_options(apple) == ["novj"]
    android = PLAYED["android-l2tp-ipsec"].play
    assert "lcp-echo-interval 0" in ppp_options(android)
    assert without_options(android) == []


def test_a_client_that_knows_t_l_and_s_loses_all_with_another_bit():
    rules = header_filter(["T", "L", "S"])
    mask = int(re.search(r"& (0x[0-9a-f]+) !=", rules)[1], 16)
    # Control and data messages of the gateways; O, P, and bits that RFC 2661 reserves.
    assert [header & mask for header in (0xC802, 0x4002, 0x0002, 0x0802)] == [0, 0, 0, 0]
    assert all(header & mask for header in (0x0202, 0x0102, 0x2002, 0x0012))
    assert "sport 1701" in rules


def test_counters_are_read_by_name():
    listed = ('{"nftables": [{"metainfo": {}}, {"counter": {"name": "lost", "packets": 3}}, '
              '{"counter": {"name": "sent", "packets": 0}}]}')
    node = types.SimpleNamespace(run=lambda *_: types.SimpleNamespace(stdout=listed))
    assert counted(node) == {"lost": 3, "sent": 0}


def test_every_control_message_of_a_lac_is_counted_but_acknowledgements():
    rules = hello_filter()
    assert "udp dport 1701 @th,64,1 1 udp length > 20 counter name sent" in rules
    assert rules.count("drop") == 1


def test_an_exchange_of_ike_is_lost_with_and_without_a_nat():
    rules = []
    lose_ike(types.SimpleNamespace(run=lambda *_, stdin: rules.append(stdin)), QUICK_MODE)
    message = ike(QUICK_MODE)
    for port, marker in ((500, b""), (4500, bytes(4))):
        line, = (each for each in rules[0].splitlines() if f"udp sport {port} " in each)
        datagram = bytes(8) + marker + message
        for begin, bits, value in re.findall(r"@th,([0-9]+),([0-9]+) ([0-9]+)", line):
            begin, bits = int(begin) // 8, int(bits) // 8
            assert datagram[begin:begin + bits] == int(value).to_bytes(bits, "big")


def tool(name):
    path = Path(ROOT) / "lab" / "node" / "players" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"node_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_router_s_frames_are_packets_of_its_session():
    mplscp, ccp = frames_of(PLAYED["mikrotik-l2tp"].play)
    assert mplscp.hex() == "828101010004"
    text = b"No compression negotiated"
    assert ccp == bytes.fromhex("80fd0502") + (4 + len(text)).to_bytes(2, "big") + text
    assert tool("ppp_frames").packet(7, 9, mplscp).hex() == "000200070009ff03828101010004"
    assert frames_of(PLAYED["apple-l2tp-ipsec"].play) == []


def test_a_router_s_frames_are_answered_by_protocol_rejects_and_a_terminate_ack():
    log = ("rcvd [LCP ProtRej id=0x1 82 81 01]\nsent [LCP ProtRej id=0x2]\n"
           "rcvd [CCP TermAck id=0x2]\n")
    assert answers(types.SimpleNamespace(read_log=lambda name: log)) == 2


def test_the_document_names_every_client_and_each_scenario():
    for profile in PROFILES.values():
        assert profile.key in DOCUMENT, f"docs/use/clients.md: a row for {profile.key}"
    for profile in PLAYED.values():
        assert f"`{profile.play.scenario}`" in DOCUMENT


def test_the_document_has_the_time_after_which_a_client_gives_up():
    rows = {found[1]: found[0] for line in DOCUMENT.splitlines()
            if (found := re.match(r"^\| [^|]*`([a-z0-9-]+)` \|.*$", line))}
    for profile in PROFILES.values():
        for part in ("ike", "l2tp", "control"):
            seconds = profile.values.get(f"{part}.gives_up_s")
            if seconds:
                assert f"{seconds:g} s" in rows[profile.key], profile.key
