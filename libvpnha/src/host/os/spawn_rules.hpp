// SPDX-License-Identifier: GPL-2.0-or-later
// The actions of posix_spawn(3) in the child of every program that is started with it, and the end
// of a child.
#pragma once

#include <spawn.h>
#include <sys/types.h>

namespace vpnha::adapters {

// No descriptor except the three streams and `kept`, no signal blocked or ignored, "/" as its
// folder, its own session.
class SpawnRules {
  public:
    // The number of `kept` in the child.
    static constexpr int kKept = 3;

    // `output`: the file of its stdout and stderr, which outlives this. `kept`: a descriptor of the
    // caller's; -1: none.
    explicit SpawnRules(const char* output, int kept = -1);
    ~SpawnRules();
    SpawnRules(const SpawnRules&) = delete;
    SpawnRules& operator=(const SpawnRules&) = delete;

    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

// Waits until the child has ended; returns the status of waitpid(2).
int wait_for(pid_t child);

}  // namespace vpnha::adapters
