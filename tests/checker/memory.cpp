// SPDX-License-Identifier: GPL-2.0-or-later
// The heap of the checker: worlds are made of many small blocks, of few sizes and each soon given
// back. One thread; blocks are kept for the next of their size, and never returned.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__)

namespace {

constexpr std::size_t kGrain = 16;
constexpr std::size_t kLargest = 2048;
constexpr std::size_t kChunk = std::size_t{1} << 20U;

union Block {
    Block* next;
    std::size_t size;  // While it is in use: without this head.
    alignas(kGrain) std::array<char, kGrain> head;
};

std::array<Block*, kLargest / kGrain + 1> g_free{};
char* g_chunk = nullptr;
std::size_t g_left = 0;

void* checked(void* memory) {
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}

}  // namespace

void* operator new(std::size_t size) {
    const std::size_t rounded = (size + kGrain - 1) / kGrain * kGrain;
    Block* block = nullptr;
    if (rounded > kLargest) {
        block = static_cast<Block*>(checked(std::malloc(sizeof(Block) + rounded)));
    } else if (Block*& free = g_free[rounded / kGrain]; free != nullptr) {
        block = free;
        free = free->next;
    } else {
        const std::size_t whole = sizeof(Block) + rounded;
        if (g_left < whole) {
            g_chunk = static_cast<char*>(checked(std::aligned_alloc(kGrain, kChunk)));
            g_left = kChunk;
        }
        block = reinterpret_cast<Block*>(g_chunk);
        g_chunk += whole;
        g_left -= whole;
    }
    block->size = rounded;
    return block + 1;
}

void operator delete(void* memory) noexcept {
    if (memory == nullptr) {
        return;
    }
    Block* const block = static_cast<Block*>(memory) - 1;
    const std::size_t size = block->size;
    if (size > kLargest) {
        std::free(block);
    } else {
        block->next = g_free[size / kGrain];
        g_free[size / kGrain] = block;
    }
}

void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}

#endif
