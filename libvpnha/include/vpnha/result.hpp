// SPDX-License-Identifier: GPL-2.0-or-later
// Errors of libvpnha. The library never throws: what can fail for a reason outside the program
// returns a Result. A programming error is a VPNHA_ASSERT (src/base/assert.hpp), never an Error.
//
// Example:
//     vpnha::Result<int> parse_port(std::string_view text);
//
//     vpnha::Result<int> next_port(std::string_view text) {
//         VPNHA_TRY(const int port, parse_port(text));
//         return port + 1;
//     }
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "vpnha/export.hpp"

namespace vpnha {

// What went wrong, in the few classes a caller can act on. Each maps to one exit code of the CLI
// and one of the OCF agents.
enum class Errc {
    invalid_argument,  // The caller's input: usage.
    invalid_config,    // The configuration file: the detail has a line for each error.
    malformed,         // Bytes from outside that do not parse; counted and dropped.
    unsupported,       // The kernel, a peer or a daemon does not have what is needed.
    not_found,
    already_exists,
    permission,
    unreachable,  // The daemon or a peer does not answer.
    busy,         // Try again: flow control, another transition under way.
    limit,        // A bound of limits.hpp was reached.
    stale_epoch,  // The sender's epoch is older than one already seen.
    timeout,
    system,  // A system call failed; the detail names it and strerror.
};

// The stable name of `code` as used in JSON, logs and metrics ("invalid_config").
[[nodiscard]] VPNHA_API std::string_view to_string(Errc code);

struct Error {
    Errc code = Errc::system;
    std::string detail;  // One sentence for a human: what, where, what to do.
};

// An Error of class `system` from an errno value: "what: strerror(error_number)".
[[nodiscard]] VPNHA_API Error system_error(std::string_view what, int error_number);

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail) {
    return tl::unexpected<Error>(Error{code, std::move(detail)});
}

}  // namespace vpnha

#define VPNHA_CONCAT_INNER(a, b) a##b
#define VPNHA_CONCAT(a, b) VPNHA_CONCAT_INNER(a, b)

// VPNHA_TRY(declaration, expression): evaluates a Result; returns its error, or binds its value.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration in parentheses would be none.
#define VPNHA_TRY(declaration, expression)                                            \
    auto VPNHA_CONCAT(vpnha_try_, __LINE__) = (expression);                           \
    if (!VPNHA_CONCAT(vpnha_try_, __LINE__)) {                                        \
        return tl::unexpected(std::move(VPNHA_CONCAT(vpnha_try_, __LINE__)).error()); \
    }                                                                                 \
    declaration = std::move(*VPNHA_CONCAT(vpnha_try_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)

// VPNHA_CHECK(expression): the same for Result<void>.
#define VPNHA_CHECK(expression)                                  \
    if (auto vpnha_checked = (expression); !vpnha_checked) {     \
        return tl::unexpected(std::move(vpnha_checked).error()); \
    }
