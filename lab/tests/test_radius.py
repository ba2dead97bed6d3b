# SPDX-License-Identifier: GPL-2.0-or-later
"""What FreeRADIUS wrote down, as the lab reads it."""
from vpnlab.product.radius import Answer, parse_answer, parse_detail

DETAIL = """\
Mon Nov 23 16:38:19 2026
\tUser-Name = "alice"
\tAcct-Status-Type = Start
\tAcct-Session-Id = "x1"
\tTimestamp = 1795451899

Mon Nov 23 16:38:29 2026
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "x1"
\tTunnel-Type:0 = L2TP
\tAcct-Output-Octets = 5
\tAcct-Output-Gigawords = 2
\tTimestamp = 1795451909

Mon Nov 23 16:38:39 2026
\tAcct-Status-Ty"""


def test_each_block_is_a_request():
    start, stop = parse_detail(DETAIL)
    assert (start.kind, start.session, start.fields["User-Name"]) == ("Start", "x1", "alice")
    assert stop.kind == "Stop"


def test_attributes_of_tunnels_have_no_tag():
    assert parse_detail(DETAIL)[1].fields["Tunnel-Type"] == "L2TP"


def test_octets_have_their_gigawords():
    assert parse_detail(DETAIL)[1].octets("Output") == (2 << 32) + 5


def test_what_is_half_written_is_left_out():
    assert len(parse_detail(DETAIL)) == 2
    assert parse_detail("") == []


SENT = """\
Sent CoA-Request Id 77 from 0.0.0.0:51997 to 127.0.0.1:3799 length 49
\tUser-Name = "vpn"
\tError-Cause = 0
"""
RECEIVED = """\
Received CoA-NAK Id 77 from 127.0.0.1:3799 to 127.0.0.1:51997 length 44
\tMessage-Authenticator = 0x6ee69273ec5c0d40337def29da594d14
\tError-Cause = Session-Context-Not-Found
"""


def test_an_answer_is_what_was_received():
    assert parse_answer(SENT) == Answer("", "")
    assert parse_answer(SENT + RECEIVED) == Answer("CoA-NAK", "Session-Context-Not-Found")
    assert parse_answer(SENT + "Received Disconnect-ACK Id 77 from a to b length 38\n") == Answer(
        "Disconnect-ACK", "")
