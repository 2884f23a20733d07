// A consumer's program of two translation units (L4); the other one is other.cpp.
#include <tapegrad/tapegrad.hpp>

#include <cstdio>

tapegrad::Tensor cube(tapegrad::Tensor x);

int main() {
  tapegrad::Tape tape;
  tapegrad::Tensor x = tape.parameter(2.0);
  const double slope = gradient(cube(x), x).item();
  std::printf("the slope of the cube at 2 is %g\n", slope);
  return slope == 12.0 ? 0 : 1;
}
