#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/witness.crm by cib-templates/generate.
# Two nodes that serve, and a third that only votes: `sh FILE` after replacing
# the @…@, after the templates of the gateways. It applies to all of them.
#
#   @WITNESS@   the third node
#
# The witness runs corosync, pacemaker and vpnhad, with the same vpnha.toml, and is fenced like the
# others (@NODES@ of the gateways' templates has it). It needs no daemon of the protocols.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# It votes on the lease as an unpromoted instance, whatever its promotion score is.
pcs -f "$cib/new" constraint location 'regexp%checkpoint.*-clone' rule \
    id=witness-never-serves-rule constraint-id=witness-never-serves role=Promoted \
    score=-INFINITY \
    '#uname' eq @WITNESS@

pcs -f "$cib/new" constraint location add \
    witness-has-no-daemons 'regexp%(xl2tpd|pptpd|strongswan).*-clone' @WITNESS@ \
    -INFINITY

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
