// What library.cpp and part.cpp have for program.cpp.

#ifndef LIBRARY_HPP
#define LIBRARY_HPP

#include <ft_local.hpp>

#include <memory>
#include <string>

#define EXPORTED __attribute__((visibility("default")))

// Batches whose sources throw a std::string, an ft_local::error and an ft_local::end_of_source.
EXPORTED std::unique_ptr<ft_local::batch<int>> batch_that_throws_a_text();
EXPORTED std::unique_ptr<ft_local::batch<int>> batch_that_throws_an_error();
EXPORTED std::unique_ptr<ft_local::batch<int>> batch_that_ends();

// Loads in the library what the program's source throws.
EXPORTED std::string text_thrown_by(const ft_local::batch<int> &batch);

// The sum of three loads, in a file without exceptions.
int sum_of_loads();

#endif
