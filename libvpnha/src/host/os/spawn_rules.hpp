// SPDX-License-Identifier: GPL-2.0-or-later
// What posix_spawn(3) does in the child of every program that is started with it, and the end of a
// child.
#pragma once

#include <spawn.h>
#include <sys/types.h>

namespace vpnha::adapters {

// No descriptor but the three streams and `kept`, no signal blocked or ignored, "/" as its folder,
// a session of its own.
class SpawnRules {
  public:
    // Where the child has `kept`.
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

// Until the child has ended: what waitpid(2) has of it.
int wait_for(pid_t child);

}  // namespace vpnha::adapters
