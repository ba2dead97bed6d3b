// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/connection.hpp"

#include <fmt/format.h>

namespace vpnha::adapters {

tl::unexpected<Error> not_connected(cs_error_t error) {
    if (error == CS_ERR_ACCESS) {
        return fail(Errc::permission,
                    "corosync is for root and for the users that a section 'uidgid' in "
                    "/etc/corosync/uidgid.d/ names; this one is neither");
    }
    return fail(Errc::unreachable,
                fmt::format("corosync does not answer ({}); is it running on this node?",
                            cs_strerror(error)));
}

}  // namespace vpnha::adapters
