// SPDX-License-Identifier: GPL-2.0-or-later
// Feeds every file of the folders given to a fuzz target, once. So each input that a fuzzer found
// is a normal test, also under compilers without libFuzzer. An empty or missing corpus is an error:
// a test that runs nothing proves nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t feed_folder(const char* folder) {
    std::size_t fed = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
        // Printed first, so that the last line names the input that crashed.
        std::printf("%s\n", entry.path().c_str());
        std::fflush(stdout);
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()),
                               content.size());
        ++fed;
    }
    return fed;
}

}  // namespace

int main(int argc, char** argv) {
    for (int n = 1; n < argc; ++n) {
        if (feed_folder(argv[n]) == 0) {
            std::fprintf(stderr, "no corpus in %s\n", argv[n]);
            return 1;
        }
    }
    return argc > 1 ? 0 : 1;
}
