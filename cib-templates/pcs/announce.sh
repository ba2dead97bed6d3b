#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/announce.crm by cib-templates/generate.
# A routing daemon announces prefixes from the node that serves a gateway (docs/use/announce.md).
# `sh FILE` after replacing the @…@, behind the gateway's own template; once
# more, with its suffix and a device of its own, for a further gateway.
#
#   @GATEWAY@     the gateway's name in vpnha.toml
#   @SUFFIX@      as in the gateway's template
#   @PREFIXES@    VIPs and customers' prefixes: "203.0.113.9/32 10.8.0.0/24"
#   @ANNOUNCE@    the device in a VRF that gets them, on every node: announce0

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# A clone: on each node it follows the gate of the gateway, so the prefixes move with the lease.
# No on-fail: the monitor never fails. It restarts a dead program within 5 s; meanwhile
# the kernel has removed the prefixes.
pcs -f "$cib/new" resource create announce@SUFFIX@ ocf:vpnha:announce \
    gateway=@GATEWAY@ prefixes="@PREFIXES@" interface=@ANNOUNCE@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s \
    op monitor interval=5s timeout=20s \
    --no-default-ops

pcs -f "$cib/new" resource clone announce@SUFFIX@ announce@SUFFIX@-clone \
    meta interleave=true

# A node that is put into standby announces until its gateway has been stopped there: it serves
# until another node takes over. Optional: if announce cannot start, the gateway serves nevertheless.
pcs -f "$cib/new" constraint order \
    start announce@SUFFIX@-clone "then" start checkpoint@SUFFIX@-clone \
    kind=Optional id=announce-before-gateway@SUFFIX@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
