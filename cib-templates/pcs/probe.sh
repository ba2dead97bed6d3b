#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/probe.crm by cib-templates/generate.
# A gateway leaves a node where its service answers no client although its process lives.
# `sh FILE` after replacing the @…@, behind the gateway's own template; once
# more, with its suffix, for a further gateway.
#
#   @GATEWAY@     the gateway's name in vpnha.toml
#   @SUFFIX@      as in the gateway's template
#   @ADDRESS@     the outside VIP that clients dial
#   @PROTOCOLS@   the protocols: "l2tp", "l2tp ike", "ike", "pptp". If L2TP is used inside of
#                 IPsec only: "ike", unless your rules accept the node itself (gateway.nft has the line).
#                 "wireguard" and "radius" need one more parameter, in the same statement:
#                 accounts="wireguard=/etc/vpnha/probe.wg", radius_servers="198.51.100.5". With an account
#                 for l2tp, ikev1, ikev2 or pptp each sixth monitor logs in (login_every).

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# A clone: on the serving node it probes the VIP like a client, over the loopback device.
# Two probes in a row without an answer, 10 s apart, mark the service as dead; one probe repeats its
# requests for 5 s. So the gateway leaves a dead service after 20 to 30 s.
# No on-fail: the monitor never fails. Its result is in an attribute of the node (crm_mon -A).
pcs -f "$cib/new" resource create probe@SUFFIX@ ocf:vpnha:probe \
    gateway=@GATEWAY@ address=@ADDRESS@ protocols="@PROTOCOLS@" \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s \
    op monitor interval=10s timeout=40s \
    --no-default-ops

pcs -f "$cib/new" resource clone probe@SUFFIX@ probe@SUFFIX@-clone \
    meta interleave=true

# A node in sync has a score of 100 to 109, one without the records 10 at most. So 50 less is a move to a node
# in sync, and to no other: a node with a dead service still has the sessions, and their data passes.
# If all nodes in sync have the mark, the gateway stays.
pcs -f "$cib/new" constraint location checkpoint@SUFFIX@-clone rule \
    id=gateway-where-it-answers@SUFFIX@-rule \
    constraint-id=gateway-where-it-answers@SUFFIX@ role=Promoted score=-50 \
    vpnha-probe-@GATEWAY@ eq dead

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
