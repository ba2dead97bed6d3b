#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/virsh.crm by cib-templates/generate.
# Power of virtual machines on one libvirt host, by SSH: `sh FILE` after replacing
# the @…@. It replaces `fencing`: leave these out of the gateway's template.
#
#   @MACHINES@     the cluster's nodes and their machines there: "gw1:vm1;gw2:vm2;gw3:vm3"
#   @HYPERVISOR@   the host's address
#   @USER@         a user of the host in the group libvirt
#   @KEY@          a file that only root reads, with the private key for it
#
# Protects against: as power.crm.
# Does not protect against: the death of the host. One host is one fault for all nodes. And a machine on a
#   host that does not answer is not known to be off. With a host for each node write one device a node,
#   as ipmilan.crm does.
# Costs: an SSH login and `virsh destroy`; below a second is usual (not measured).

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing fence_virsh \
    pcmk_host_map="@MACHINES@" pcmk_host_check=static-list ip=@HYPERVISOR@ \
    username=@USER@ identity_file=@KEY@ ssh=1 \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing monitor

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
