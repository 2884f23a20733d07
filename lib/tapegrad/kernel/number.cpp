#include "tapegrad/kernel/number.hpp"

namespace tapegrad {

Number Number::apply(Function f, const Number& x) {
  return x.value_ ? x.value_->system.apply(f, x) : Number(evaluate(f, x.literal_));
}

Number Number::apply_in_system(Function f, const Number& x, const Number& y) {
  return (x.value_ ? x : y).value_->system.apply(f, x, y);
}

std::partial_ordering Number::compare(const Number& x, const Number& y) {
  if (x.value_) return x.value_->system.compare(x, y);
  if (y.value_) return y.value_->system.compare(x, y);
  return x.literal_ <=> y.literal_;
}

bool Number::equal(const Number& x, const Number& y) {
  if (x.value_) return x.value_->system.equal(x, y);
  if (y.value_) return y.value_->system.equal(x, y);
  return x.literal_ == y.literal_;
}

}  // namespace tapegrad
