// SPDX-License-Identifier: GPL-2.0-or-later
// Epochs as small files in a directory of root's own (ports/epochs.hpp), one for each gateway:
//
//   gateway-1.epoch:  vpnha-epoch 1
//                     3.1
//
// A file is replaced as a whole: written beside, on the disk, renamed, the directory on the disk.
// One that was cut or edited is an error that names it. No link is followed.
#pragma once

#include <string>

#include "adapters/unique_fd.hpp"
#include "ports/epochs.hpp"

namespace vpnha::adapters {

class EpochFiles final : public ports::Epochs {
  public:
    // Makes the directory, 0700, when it is not there. Error permission when somebody else may
    // write to it.
    [[nodiscard]] static Result<EpochFiles> open(const std::string& directory);

    [[nodiscard]] Result<Epoch> load(GatewayId gateway) const override;
    Result<void> save(GatewayId gateway, const Epoch& epoch) override;

  private:
    EpochFiles(std::string directory, UniqueFd fd)
        : directory_(std::move(directory)), fd_(std::move(fd)) {}

    std::string directory_;
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
