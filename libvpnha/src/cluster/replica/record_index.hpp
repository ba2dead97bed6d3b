// SPDX-License-Identifier: GPL-2.0-or-later
// Finds records of a store by key without a walk of the map's tree: that costs a dozen cache misses
// at 100 000 records, a flat hash two. The map stays, because a snapshot pass needs its order.
// Holds iterators into the map, so it moves with it and is never copied.
#pragma once

#include <tsl/robin_set.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "cluster/wire/record_key.hpp"

namespace vpnha::replica {

template <class Record>
class RecordIndex {
  public:
    using Records = std::map<wire::RecordKey, Record>;
    using Place = typename Records::iterator;

    RecordIndex() { places_.max_load_factor(kLoadMax); }
    RecordIndex(const RecordIndex&) = delete;
    RecordIndex& operator=(const RecordIndex&) = delete;
    RecordIndex(RecordIndex&&) noexcept = default;
    RecordIndex& operator=(RecordIndex&&) noexcept = default;

    void insert(Place record) { places_.insert(record); }
    // Before the map drops it.
    void erase(Place record) { places_.erase(record); }
    // nullptr: there is none.
    [[nodiscard]] const Place* find(const wire::RecordKey& key) const {
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &*found;
    }

  private:
    // Half of the library's own memory; a miss costs a few more entries of the same cache line.
    static constexpr float kLoadMax = 0.8F;

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const wire::RecordKey& key) const {
            const ByteView id = key.id.view();
            const std::string_view text(reinterpret_cast<const char*>(id.data()), id.size());
            return std::hash<std::string_view>{}(text) ^ static_cast<std::size_t>(key.type);
        }
        std::size_t operator()(const Place& record) const { return (*this)(record->first); }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Place& a, const Place& b) const { return a == b; }
        bool operator()(const wire::RecordKey& key, const Place& record) const {
            return key == record->first;
        }
        bool operator()(const Place& record, const wire::RecordKey& key) const {
            return key == record->first;
        }
    };

    // Flat, with each entry's hash beside it, so that other entries are seldom compared.
    tsl::robin_set<Place, Hash, Equal, std::allocator<Place>, true> places_;
};

}  // namespace vpnha::replica
