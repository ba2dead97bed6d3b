// SPDX-License-Identifier: GPL-2.0-or-later
// The commands of a protocol's keeper, and the events in return, while they pass through the node.
// Both ends are typed. A keeper writes a command, and its backend (protocols/backend.hpp) handles
// the family of commands. A keeper tests an event for its own family. The code in between knows no
// protocol.
//
// A family is a std::variant. Its header joins each alternative to it by a function that is
// declared and never defined:
//
//   template <OneOf<L2tpWork> Command>
//   L2tpWork work_of(const Command&);
//   template <OneOf<L2tpEvent> Event>
//   L2tpEvent event_of(const Event&);
#pragma once

#include <any>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/ids.hpp"

namespace vpnha::effects {

template <class What, class Family>
inline constexpr bool kIsOneOf = std::is_same_v<What, Family>;
template <class What, class... Each>
inline constexpr bool kIsOneOf<What, std::variant<Each...>> =
    (std::is_same_v<What, Each> || ...) || std::is_same_v<What, std::variant<Each...>>;

// An alternative of that variant, or the variant.
template <class What, class Family>
concept OneOf = kIsOneOf<What, Family>;

template <class What>
concept Command = requires(const What& what) {
    work_of(what);
};
template <class What>
concept Event = requires(const What& what) {
    event_of(what);
};
template <Command What>
using WorkOf = decltype(work_of(std::declval<const What&>()));
template <Event What>
using EventOf = decltype(event_of(std::declval<const What&>()));

class ProtocolWork {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): a keeper adds its command to the effects.
    template <Command What>
    ProtocolWork(What what)
        : gateway_(gateway_of(what)), work_(std::in_place_type<WorkOf<What>>, std::move(what)) {}

    // The gateway of the keeper that made it.
    [[nodiscard]] GatewayId gateway() const { return gateway_; }

    // nullptr: it is of another family.
    template <class Family>
    [[nodiscard]] Family* get() {
        return std::any_cast<Family>(&work_);
    }
    template <class Family>
    [[nodiscard]] const Family* get() const {
        return std::any_cast<Family>(&work_);
    }
    // nullptr: it is another command.
    template <Command What>
    [[nodiscard]] const What* find() const {
        const auto* const family = get<WorkOf<What>>();
        if constexpr (std::is_same_v<What, WorkOf<What>>) {
            return family;
        } else {
            return family == nullptr ? nullptr : std::get_if<What>(family);
        }
    }
    template <Command What>
    [[nodiscard]] What* find() {
        return const_cast<What*>(std::as_const(*this).template find<What>());
    }

  private:
    template <class What>
    [[nodiscard]] static GatewayId gateway_of(const What& what) {
        if constexpr (requires { what.gateway; }) {
            return what.gateway;
        } else {
            return std::visit([](const auto& each) { return each.gateway; }, what);
        }
    }

    GatewayId gateway_;
    std::any work_;
};

// An event for the keepers of a gateway: from the kernel, from daemons, from plugins or from the
// operator. Referenced data is valid during the call.
class KeeperEvent {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): it is written where events begin.
    template <Event What>
    KeeperEvent(What what) : event_(std::in_place_type<EventOf<What>>, std::move(what)) {}

    // nullptr: it is of another family.
    template <class Family>
    [[nodiscard]] const Family* get() const {
        return std::any_cast<Family>(&event_);
    }

  private:
    std::any event_;
};

}  // namespace vpnha::effects
