// A part of the program that is compiled without exceptions.

#include "library.hpp"

#include <optional>

int sum_of_loads() {
    int calls = 0;
    std::optional<ft_local::batch<int>> batch;
    const ft_local_status made = ft_local::batch<int>::make(batch, 2, [&calls] { return ++calls; });
    int sum = 0;
    int one = 0;
    for (int count = 0; made == FT_LOCAL_OK && count < 3; ++count) {
        if (batch->load(one) == FT_LOCAL_OK) {
            sum += one;
        }
    }
    return sum;
}
