#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/probe.crm by cib-templates/generate.
# A gateway leaves a node on which its service is dead though its process lives: it answers no client.
# `sh FILE` after replacing the @…@, behind the gateway's own template; once
# more, with its suffix, for a further gateway.
#
#   @GATEWAY@     the gateway's name in vpnha.toml
#   @SUFFIX@      as in the gateway's template
#   @ADDRESS@     the outside VIP that clients dial
#   @PROTOCOLS@   what they dial: "l2tp", "l2tp ike", "ike", "pptp". Where L2TP is spoken inside of
#                 IPsec only: "ike", unless your rules let the node itself in (gateway.nft has the line).
#                 "wireguard" and "radius" want one parameter more, which stands beside it:
#                 accounts="wireguard=/etc/vpnha/probe.wg", radius_servers="198.51.100.5". With an account
#                 of l2tp, ikev1, ikev2 or pptp each sixth monitor logs in (login_every).

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# A clone: where the gateway is served it asks the VIP as a client does, over the loopback device.
# Two probes in a row without an answer, 10 s apart, are a dead service; one probe repeats its
# questions for 5 s. So a dead service is left after 20 to 30 s.
# No on-fail: the monitor never fails. What it finds is in an attribute of the node (crm_mon -A).
pcs -f "$cib/new" resource create probe@SUFFIX@ ocf:vpnha:probe \
    gateway=@GATEWAY@ address=@ADDRESS@ protocols="@PROTOCOLS@" \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s \
    op monitor interval=10s timeout=40s \
    --no-default-ops

pcs -f "$cib/new" resource clone probe@SUFFIX@ probe@SUFFIX@-clone \
    meta interleave=true

# A node in sync is worth 100 to 109, one without the records 10 at most. So 50 less is a move to a node
# in sync, and to no other: a node whose service is dead still has the sessions, and their data passes.
# Where all nodes in sync have the mark, the gateway stays.
pcs -f "$cib/new" constraint location checkpoint@SUFFIX@-clone rule \
    id=gateway-where-it-answers@SUFFIX@-rule \
    constraint-id=gateway-where-it-answers@SUFFIX@ role=Promoted score=-50 \
    vpnha-probe-@GATEWAY@ eq dead

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
