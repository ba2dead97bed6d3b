#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/vip-gateway.crm by cib-templates/generate.
# Addresses that one node has at a time, and a service that answers on them; nothing is carried over
# from one node to the next. vpnhad is not needed. `sh FILE` after replacing
# the @…@; once more, with a suffix, for further addresses.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @SUFFIX@             nothing; for further addresses what tells their resources apart: "-web"
#   @ADDRESSES@          "192.0.2.9/24 2001:db8::9/64"
#   @INTERFACE@          the interface that gets them, on every node
#   @SERVICE@            the agent of the service: systemd:nginx, ocf:heartbeat:…
#   @PRIMARY@            the node that has the addresses when all start together
#   @FENCE_AGENT@        your power fencing: fence_ipmilan, fence_virsh, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# The reasons for these stand in l2tp-gateway.crm; both templates may be loaded into one cluster, this
# one first, because the value that is loaded last counts. The transition-delay is shorter than there,
# because the death of a service waits for it too; a gateway needs its own. An address has no lease
# and no gate: fencing alone keeps two nodes from having it, so without stonith-enabled there is
# nothing that does.
pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=250ms

# The first failure moves the addresses: a cable or a service that failed once is not trusted for
# the next minute. Then the failure expires, so that the node is a candidate again without an
# administrator. Stickiness: it gets nothing back because of that, nor after a restart.
pcs -f "$cib/new" resource defaults update \
    migration-threshold=1 failure-timeout=60s resource-stickiness=100

# crm and XML start the device on every node, so that a node's death moves none; pcs cannot.
if ! pcs -f "$cib/new" stonith config fencing >/dev/null 2>&1; then
    pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
        pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
        op start interval=0 timeout=60s \
        --no-default-ops
    pcs -f "$cib/new" stonith op remove fencing monitor
fi

# A stop that fails leaves a node that may answer for the addresses: only its power switch is left.
# The shallow monitor sees a lost cable or address within a second; the deep one asks the neighbours
# once a minute whether somebody else has taken an address.
# Of a start, 50 ms are the question whether somebody has an address already; probe_ms=0 takes
# that off every takeover.
# failure-timeout: a switch that starts anew fails the addresses on every node; they are back so
#   long after it.
# The other side of a gateway is a second resource: load this once more, and colocate the two.
pcs -f "$cib/new" resource create vip@SUFFIX@ ocf:vpnha:vip \
    addresses="@ADDRESSES@" interface=@INTERFACE@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op monitor interval=1s timeout=20s \
    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=10 \
    meta failure-timeout=15s \
    --no-default-ops

# The service runs on every node, so that a takeover starts nothing: it listens on all addresses, or
# on these with net.ipv4.ip_nonlocal_bind=1.
# Nobody answers from the death of the service until the next monitor, and for a takeover after it
# (0.7 s in the lab): about a second with 150 ms. That suits agents that look for a process (systemd:,
# lsb:), which takes milliseconds; one that asks the service itself takes more, on every node, and is
# to be given 1s or more.
pcs -f "$cib/new" resource create --force service@SUFFIX@ @SERVICE@ \
    op monitor interval=150ms timeout=20s \
    --no-default-ops

pcs -f "$cib/new" resource clone service@SUFFIX@ service@SUFFIX@-clone \
    meta interleave=true

# Where the service does not run, the addresses are of no use. The order is optional: a service
# that starts again elsewhere must not restart the addresses.
pcs -f "$cib/new" constraint colocation add \
    vip@SUFFIX@ with service@SUFFIX@-clone \
    INFINITY id=vip-with-service@SUFFIX@

pcs -f "$cib/new" constraint order \
    start service@SUFFIX@-clone "then" start vip@SUFFIX@ \
    kind=Optional id=service-before-vip@SUFFIX@

# 50 is less than the stickiness: the primary is taken when there is a choice, and does not take the
# addresses back. With 200 it does, as soon as it can: a second interruption. Without this line all
# nodes are alike.
pcs -f "$cib/new" constraint location add \
    vip-primary@SUFFIX@ vip@SUFFIX@ @PRIMARY@ 50

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
