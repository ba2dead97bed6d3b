#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/vip-gateway.crm by cib-templates/generate.
# Addresses that one node has at a time, and a service that answers on them; no state moves
# from one node to the next. vpnhad is not needed. `sh FILE` after replacing
# the @…@; once more, with a suffix, for further addresses.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @SUFFIX@             nothing; for further addresses a suffix of their resources: "-web"
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

# The reasons for these are in l2tp-gateway.crm; both templates may be loaded into one cluster, this
# one first, because the last loaded value counts. The transition-delay is shorter than there,
# because the takeover after a service's death also waits for it; a gateway needs its own. An address
# has no lease and no gate: only fencing prevents two nodes from having it, so without stonith-enabled
# nothing does.
pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=250ms

# The first failure moves the addresses: a cable or a service that failed once is not trusted for
# the next minute. Then the failure expires, so that the node is a candidate again without an
# administrator. Stickiness: it does not get the addresses back then, nor after a restart.
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

# After a failed stop the node may still answer for the addresses: only power fencing helps then.
# The shallow monitor detects a lost cable or address within a second; the deep one checks
# once a minute whether another host uses an address.
# A start probes for 50 ms whether another host already has an address; probe_ms=0 removes
# that delay from every takeover.
# failure-timeout: when a switch restarts, the addresses fail on every node; they return this
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
# Clients get no answer from the death of the service until the next monitor, and during the takeover
# (0.7 s in the lab): about a second with 150 ms. That suits agents that check for a process (systemd:,
# lsb:), which takes milliseconds; one that queries the service itself takes longer, on every node, and
# needs 1s or more.
pcs -f "$cib/new" resource create --force service@SUFFIX@ @SERVICE@ \
    op monitor interval=150ms timeout=20s \
    --no-default-ops

pcs -f "$cib/new" resource clone service@SUFFIX@ service@SUFFIX@-clone \
    meta interleave=true

# Without the running service the addresses are useless. The order is optional: a service
# that starts again elsewhere must not restart the addresses.
pcs -f "$cib/new" constraint colocation add \
    vip@SUFFIX@ with service@SUFFIX@-clone \
    INFINITY id=vip-with-service@SUFFIX@

pcs -f "$cib/new" constraint order \
    start service@SUFFIX@-clone "then" start vip@SUFFIX@ \
    kind=Optional id=service-before-vip@SUFFIX@

# 50 is less than the stickiness: Pacemaker prefers the primary if it has a choice, but does not return the
# addresses to it. With 200 it does, as soon as possible: a second interruption. Without this line all
# nodes are equal.
pcs -f "$cib/new" constraint location add \
    vip-primary@SUFFIX@ vip@SUFFIX@ @PRIMARY@ 50

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
