// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/device_remover.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace device_remover_test {

using testing::output_of;

class DeviceRemoverTest : public testing::TwoHosts {
  protected:
    // A device that ends with its only descriptor.
    static DeviceRemover::Device make_device(const std::string& name) {
        UniqueFd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
        ifreq request{};
        name.copy(request.ifr_name, sizeof request.ifr_name - 1);
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        EXPECT_EQ(ioctl(fd.get(), TUNSETIFF, &request), 0);
        DeviceRemover::Device device{index_of(name)};
        device.descriptors.push_back(std::move(fd));
        return device;
    }
    // 0: it is gone.
    static LinkIndex index_of(const std::string& name) {
        auto route = RouteNetlink::open();
        EXPECT_TRUE(route);
        return route ? route->find_link(name)->value_or(LinkState{}).index : 0;
    }
    static bool is_left(const std::string& name) { return index_of(name) != 0; }
    static bool is_idle(const DeviceRemover& remover) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (remover.waiting() != 0 && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        return remover.waiting() == 0;
    }
};

TEST_F(DeviceRemoverTest, RemovesThoseThatItWasGivenAndNoOther) {
    const DeviceRemover::Device other = make_device("stays0");
    DeviceRemover remover;
    for (int i = 0; i < 40; ++i) {
        remover.remove(make_device(fmt::format("goes{}", i)));
    }
    EXPECT_TRUE(is_idle(remover));
    EXPECT_EQ(output_of("ip -br link").find("goes"), std::string::npos) << output_of("ip -br link");
    EXPECT_TRUE(is_left("stays0"));
}

TEST_F(DeviceRemoverTest, ThoseOfOneTurnGoBeforeTheirDescriptorsClose) {
    // Their descriptors stay open: nothing but the group can have removed them.
    std::vector<DeviceRemover::Device> devices;
    std::vector<UniqueFd> kept;
    for (int i = 0; i < 40; ++i) {
        devices.push_back(make_device(fmt::format("goes{}", i)));
        kept.push_back(std::move(devices.back().descriptors.front()));
        devices.back().descriptors.clear();
    }
    DeviceRemover remover;
    for (DeviceRemover::Device& device : devices) {
        remover.remove(std::move(device));
    }
    EXPECT_TRUE(is_idle(remover));
    EXPECT_EQ(output_of("ip -br link").find("goes"), std::string::npos) << output_of("ip -br link");
}

TEST_F(DeviceRemoverTest, ClosesDescriptorsInTheirOrder) {
    std::array<int, 2> first{};
    std::array<int, 2> second{};
    ASSERT_EQ(::pipe(first.data()), 0);
    ASSERT_EQ(::pipe(second.data()), 0);
    UniqueFd first_reader(first[0]);
    UniqueFd second_reader(second[0]);
    DeviceRemover::Device device;
    device.descriptors.emplace_back(first[1]);
    device.descriptors.emplace_back(second[1]);
    DeviceRemover remover;
    remover.remove(std::move(device));
    char octet = 0;
    // The end of the second pipe: the first one has been closed before.
    ASSERT_EQ(read(second_reader.get(), &octet, 1), 0);
    ASSERT_EQ(fcntl(first_reader.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(read(first_reader.get(), &octet, 1), 0);
}

TEST_F(DeviceRemoverTest, ItsEndRemovesWhatIsLeft) {
    {
        DeviceRemover remover;
        for (int i = 0; i < 40; ++i) {
            remover.remove(make_device(fmt::format("goes{}", i)));
        }
    }
    EXPECT_EQ(output_of("ip -br link").find("goes"), std::string::npos);
}

}  // namespace device_remover_test
}  // namespace vpnha::adapters
