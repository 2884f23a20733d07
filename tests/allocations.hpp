// Counts what the test program takes from the heap, so that a test can say that something takes
// nothing. The counting operator new of allocations.cpp replaces the one of the standard library in
// the whole program.
#pragma once

#include <cstddef>

/// How often this thread has called operator new.
std::size_t allocations();
