# SPDX-License-Identifier: GPL-2.0-or-later
import configparser
import types

import pytest

from vpnlab.host.topology import L2TP, L2TP_2, NODES
from vpnlab.product.l2tp_client import Dialled, Redial, client_config, client_options, parse_ip_up
from vpnlab.product.l2tp_gateway import LnsConfig, chap_secrets, lns_config, ppp_options


def parsed(text):
    """xl2tpd's format is that of an INI file."""
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return parser


def test_gateway_listens_on_the_vip_and_hands_out_its_own_pool():
    config = parsed(LnsConfig("192.0.2.100", L2TP.pool(NODES["gw2"])).text())
    assert config["global"]["listen-addr"] == "192.0.2.100"
    assert config["lns default"]["ip range"] == "10.200.2.10-10.200.2.250"
    assert config["lns default"]["local ip"] == "10.200.0.1"


def test_gateways_of_one_node_share_neither_address_nor_file():
    node = types.SimpleNamespace(spec=NODES["gw1"])
    first = parsed(lns_config(node, L2TP).text())
    second = parsed(lns_config(node, L2TP_2, "/etc/ppp/options.l2tp2").text())
    assert first["global"]["listen-addr"] != second["global"]["listen-addr"]
    for key in ("ip range", "local ip", "pppoptfile"):
        assert first["lns default"][key] != second["lns default"][key]


def test_gateway_demands_chap():
    config = parsed(LnsConfig("192.0.2.100", L2TP.pool(NODES["gw1"])).text())
    assert config["lns default"]["require chap"] == "yes"
    assert config["lns default"]["refuse pap"] == "yes"
    assert "require-chap" in ppp_options().splitlines()


def test_extra_ppp_options_come_last_so_that_they_win():
    assert ppp_options(["plugin vpnha.so"]).splitlines()[-1] == "plugin vpnha.so"


@pytest.mark.parametrize("options", [ppp_options(), client_options()])
def test_neither_side_negotiates_compression(options):
    assert {"noccp", "novj"} <= set(options.splitlines())


def test_client_has_its_echo_and_no_address_of_its_own():
    lines = client_options().splitlines()
    assert {"noipdefault", "lcp-echo-interval 10", "lcp-echo-failure 3"} <= set(lines)


def test_client_redials_only_where_asked():
    assert "redial" not in client_config()
    config = parsed(client_config(redial=Redial(5)))
    assert config["lac vpn"]["redial timeout"] == "5"


def test_secret_names_the_user():
    assert chap_secrets("bob", "pw") == '"bob" * "pw" *\n'


def test_every_line_of_the_ip_up_log_is_a_session():
    log = "ppp0 10.200.1.10 10.200.0.1\nppp0 10.200.2.10 10.200.0.1\nppp"
    assert parse_ip_up(log) == [Dialled("ppp0", "10.200.1.10", "10.200.0.1"),
                                Dialled("ppp0", "10.200.2.10", "10.200.0.1")]
