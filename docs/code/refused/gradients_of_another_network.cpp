// expect: no matching
#include <tapegrad/tapegrad.hpp>

struct Generator {
  tapegrad::Linear layer;
};
struct Critic {
  tapegrad::Linear layer;
};

void train(const Generator& generator, const Critic& gradients);
void train(const Generator& generator, const Critic& gradients) {
  tapegrad::Sgd sgd{.learning_rate = 0.1};
#ifdef MISTAKE
  sgd.step(generator, gradients);
#endif
  sgd.step(generator, generator);
  sgd.step(gradients, gradients);
}
