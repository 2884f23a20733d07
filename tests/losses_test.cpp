// Losses against PyTorch (data/losses.txt, made by data/make_losses.py), against closed forms where
// PyTorch rounds, and what they refuse.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::CrossEntropyOptions, tg::Reduction, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The operands of a case on a tape.
struct Operands {
  Tensor prediction, target, other, more;

  Operands(Tape& tape, const ReferenceCase& c) {
    const auto input = [&](const char* key) { return c.has(key) ? tape.input(c[key]) : Tensor{}; };
    prediction = input("prediction"), target = input("target");
    other = input("other"), more = input("more");
  }
};

/// The loss that a case, FUNCTION/REDUCTION/WHAT, is about.
Tensor loss_of(const std::string& name, const Operands& o) {
  const std::size_t first = name.find('/'), second = name.find('/', first + 1);
  const std::string function = name.substr(0, first), what = name.substr(second + 1),
                    reduction = name.substr(first + 1, second - first - 1);
  const Reduction r = std::map<std::string, Reduction>{{"none", Reduction::none},
                                                       {"mean", Reduction::mean},
                                                       {"sum", Reduction::sum},
                                                       {"batchmean", Reduction::batch_mean}}
                          .at(reduction);
  if (function == "huber_loss") return huber_loss(o.prediction, o.target, o.other, r);
  if (function == "cosine_similarity")
    return cosine_similarity(o.prediction, o.target, what == "axis_0" ? 0 : 1);
  if (function == "cosine_embedding_loss")
    return cosine_embedding_loss(o.prediction, o.other, o.target, o.more, r);
  if (what == "ignoring_1")
    return cross_entropy(o.prediction, o.target, {.ignore_index = 1, .reduction = r});
  if (what.starts_with("smoothing_0.1"))
    return cross_entropy(o.prediction, o.target, {.label_smoothing = 0.1, .reduction = r});
  using Loss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;
  const Loss entropy = [](const Tensor& x, const Tensor& t, Reduction as) {
    return cross_entropy(x, t, as);
  };
  return std::map<std::string, Loss>{
      {"mse_loss", tg::mse_loss},
      {"l1_loss", tg::l1_loss},
      {"binary_cross_entropy", tg::binary_cross_entropy},
      {"binary_cross_entropy_with_logits", tg::binary_cross_entropy_with_logits},
      {"kl_div", tg::kl_div},
      {"cross_entropy", entropy},
      {"nll_loss", tg::nll_loss}}
      .at(function)(o.prediction, o.target, r);
}

/// Values, gradients and second derivatives of two functions of x agree.
void check_equal(const Tensor& x, const Tensor& a, const Tensor& b) {
  BOOST_TEST(distance(a.array(), b.array()) < 1e-14);
  const Tensor ga = gradient(sum(square(a)), x), gb = gradient(sum(square(b)), x);
  BOOST_TEST(distance(ga.array(), gb.array()) < 1e-13);
  const auto second = [&](const Tensor& g) { return gradient(sum(g * g), x).array(); };
  BOOST_TEST(distance(second(ga), second(gb)) < 1e-12);
}

BOOST_AUTO_TEST_SUITE(losses)

// ---------------------------------------------------------------- against PyTorch

BOOST_AUTO_TEST_CASE(losses_and_their_first_and_second_derivatives_equal_those_of_pytorch) {  // H3
  for (const auto& [precision, tolerance] : {std::pair{tg::float64, 1e-12}, {tg::float32, 2e-6}})
    for (const ReferenceCase& c : reference_cases("losses.txt")) BOOST_TEST_CONTEXT(c.name) {
        Tape tape(precision);
        const Operands o(tape, c);
        const Tensor loss = loss_of(c.name, o);
        BOOST_TEST(distance(loss.array(), c["loss"]) < tolerance);
        const Tensor g = gradient(seeded(loss, tape.input(c["seed"])), o.prediction);
        // PyTorch's slopes of this one contain the float that is nearest to 1e-12.
        const bool rough = c.name.starts_with("binary_cross_entropy/");
        const double near = rough ? std::max(tolerance, 1e-8) : tolerance;
        BOOST_TEST(distance(g.array(), c["gradient"]) < near);
        if (!c.has("second")) continue;
        const Tensor along = sum(g * tape.input(c["direction"])) + 0 * sum(o.prediction);
        BOOST_TEST(distance(gradient(along, o.prediction).array(), c["second"]) < 3 * near);
      }
}

// ---------------------------------------------------------------- reductions

BOOST_AUTO_TEST_CASE(a_batch_mean_of_half_squared_errors_is_the_textbooks_cost) {
  Tape tape;
  const Tensor a = tape.input({{1, 2}, {3, 4}, {0, 0}}), y = tape.input({{1, 0}, {0, 0}, {0, 1}});
  BOOST_TEST(half_squared_error(a, y, Reduction::none).values() == Numbers({0, 2, 4.5, 8, 0, 0.5}));
  BOOST_TEST(half_squared_error(a, y, Reduction::batch_mean).item() == 15.0 / 3);
  BOOST_TEST(half_squared_error(a, y, Reduction::mean).item() == 15.0 / 6);
  BOOST_TEST(half_squared_error(a, y).item() == 15);
  const Tensor cost = half_squared_error(a, y, Reduction::batch_mean);
  BOOST_TEST(distance(gradient(cost, a).array(),
                      Array(Shape{3, 2}, {0, 2. / 3, 1, 4. / 3, 0, -1. / 3})) < 1e-15);
}

BOOST_AUTO_TEST_CASE(of_nothing_the_sum_is_zero_and_the_mean_not_a_number) {  // C9
  Tape tape;
  const Tensor x = tape.input(Numbers{}, Shape{0, 3}), labels = tape.input(Numbers{}, Shape{0});
  BOOST_TEST(l1_loss(x, x, Reduction::sum).item() == 0);
  BOOST_TEST(std::isnan(l1_loss(x, x).item()));
  BOOST_TEST(cross_entropy(x, labels, Reduction::sum).item() == 0);
  BOOST_TEST(std::isnan(cross_entropy(x, labels).item()));
  BOOST_TEST((cross_entropy(x, labels, Reduction::none).shape() == Shape{0}));
}

BOOST_AUTO_TEST_CASE(of_one_number_every_reduction_is_the_same) {
  Tape tape;
  const Tensor x = tape.input(3.0);
  for (const Reduction r :
       {Reduction::none, Reduction::mean, Reduction::sum, Reduction::batch_mean}) {
    BOOST_TEST(mse_loss(x, 1.0, r).item() == 4);
    BOOST_TEST(huber_loss(x, 1.0, 1.0, r).item() == 1.5);
  }
}

// ---------------------------------------------------------------- blocks equal their compositions

BOOST_AUTO_TEST_CASE(cross_entropy_is_a_negative_log_likelihood_after_a_log_softmax) {
  Tape tape;
  const Tensor x = tape.input({{0.3, -1.2, 2}, {1, 0.5, -0.7}, {-2, 0.1, 0.4}});
  const Tensor labels = tape.input({2, 0, 1}), rows = reshape(labels, {3, 1});
  const Tensor logarithms = log_softmax(x, 1);
  const Tensor chosen = -reshape(gather(logarithms, 1, rows), {3});
  check_equal(x, cross_entropy(x, labels, Reduction::none), chosen);
  check_equal(x, nll_loss(logarithms, labels, Reduction::none), chosen);
  check_equal(x, cross_entropy(x, labels), mean(chosen));
  const Tensor one_hot = tape.constant({{0, 0, 1}, {1, 0, 0}, {0, 1, 0}});
  check_equal(x, cross_entropy(x, one_hot), mean(chosen));
}

BOOST_AUTO_TEST_CASE(a_sample_has_the_same_loss_and_slopes_wherever_it_lies) {
  tg::Random random(3);
  for (const tg::Precision precision : {tg::float32, tg::float64})
    for (const std::int64_t classes : {2, 10, 32, 33, 300})
      for (const std::int64_t samples : {1, 3, 64, 70}) {
        Tape tape(precision);
        const Tensor rows = tape.input(random.uniform(-3, 3, Shape{samples, classes}));
        const Tensor pixels = unsqueeze(tg::transpose(rows), 0);  // (1, classes, samples)
        const Tensor labels =
            floor(static_cast<double>(classes) * tape.input(random.uniform(0, 1, Shape{samples})));
        const Tensor loss = cross_entropy(rows, labels, Reduction::sum),
                     same = cross_entropy(pixels, unsqueeze(labels, 0), Reduction::sum);
        BOOST_TEST_CONTEXT(samples << " samples of " << classes << " classes") {
          BOOST_TEST(loss.item() == same.item());
          const Tensor slopes = squeeze(gradient(same, pixels), 0);
          BOOST_TEST((tg::transpose(slopes).array() == gradient(loss, rows).array()));
        }
      }
}

BOOST_AUTO_TEST_CASE(binary_cross_entropies_equal_their_formula) {
  Tape tape;
  const Tensor x = tape.input({0.3, -1.2, 2}), t = tape.input({0, 1, 0.3}), p = sigmoid(x);
  const Tensor yes = t * log(p), no = (1 - t) * log(1 - p);
  check_equal(x, binary_cross_entropy(p, t, Reduction::none), -(yes + no));
  check_equal(x, binary_cross_entropy_with_logits(x, t, Reduction::none), -(yes + no));
  check_equal(t, binary_cross_entropy(p, t, Reduction::none), -(yes + no));
  check_equal(t, binary_cross_entropy_with_logits(x, t, Reduction::none), -(yes + no));
}

// ---------------------------------------------------------------- closed forms

BOOST_AUTO_TEST_CASE(small_losses_keep_their_digits_in_float32) {  // G4
  Tape tape(tg::float32);
  const double tiny = std::exp(-20.0);  // log(1 + tiny) and 1 - 1 / (1 + tiny) are tiny (1 - ...)
  const Tensor x = tape.input({{20, 0}, {0, 20}});
  const Tensor loss = cross_entropy(x, tape.input({0, 1}), Reduction::none);
  const Tensor g = gradient(sum(loss), x);
  for (std::int64_t i = 0; i < 2; ++i) {
    BOOST_TEST(std::abs(loss.at(i) / tiny - 1) < 1e-6);
    BOOST_TEST(std::abs(g.at(i, i) / -tiny - 1) < 1e-6);
    BOOST_TEST(std::abs(g.at(i, 1 - i) / tiny - 1) < 1e-6);
  }
  const Tensor logits = tape.input({20, -20}), target = tape.input({1, 0});
  for (double l : binary_cross_entropy_with_logits(logits, target, Reduction::none).values())
    BOOST_TEST(std::abs(l / tiny - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(hinge_loss_is_zero_beyond_the_margin) {
  Tape tape;
  const Tensor x = tape.input({2, 0.5, 0.5, -3}), t = tape.input({1, 1, -1, -1});
  const Tensor loss = hinge_loss(x, t, Reduction::none);
  BOOST_TEST(loss.values() == Numbers({0, 0.5, 1.5, 0}));
  BOOST_TEST(gradient(sum(loss), x).values() == Numbers({0, -1, 1, 0}));
  BOOST_TEST(hinge_loss(x, t).item() == 0.5);
  BOOST_TEST(hinge_loss(tape.input(0.25), -1).item() == 1.25);
}

BOOST_AUTO_TEST_CASE(huber_loss_has_a_slope_by_its_delta) {
  Tape tape;
  const Tensor delta = tape.input(0.5), x = tape.input({-3, 0.25, 2});
  const Tensor loss = huber_loss(x, tape.input({0, 0, 0}), delta, Reduction::sum);
  BOOST_TEST(loss.item() == 0.5 * 2.75 + 0.03125 + 0.5 * 1.75);
  BOOST_TEST(gradient(loss, delta).item() == 2.5 + 1.5);  // |d| - delta, beyond
}

BOOST_AUTO_TEST_CASE(what_a_target_excludes_costs_nothing_however_improbable) {
  Tape tape;
  tape.trap_non_finite();
  const Tensor x = tape.input({{-0.5, -1e300}}), target = tape.input({{1, 0}});
  const Tensor divergence = kl_div(x, target, Reduction::sum);
  BOOST_TEST(divergence.item() == 0.5);
  const auto [by_x, by_target] = gradient(divergence, x, target);
  BOOST_TEST(by_x.values() == Numbers({-1, 0}));
  BOOST_TEST(std::isfinite(by_target.at(0, 1)));
  tape.trap_non_finite(false);
  x.set({{-0.5, -infinity}});
  tape.replay(divergence, by_x);
  BOOST_TEST(divergence.item() == 0.5);
  BOOST_TEST(by_x.values() == Numbers({-1, 0}));
}

BOOST_AUTO_TEST_CASE(a_vector_of_zeros_has_the_cosine_zero_and_a_finite_slope) {
  Tape tape;
  const Tensor x = tape.input({{0, 0}, {3, 4}}), y = tape.input({{3, 4}, {-6, -8}});
  const Tensor cosine = cosine_similarity(x, y, 1);
  BOOST_TEST(cosine.at(0) == 0);
  BOOST_TEST(std::abs(cosine.at(1) + 1) < 1e-15);
  for (double g : gradient(sum(cosine), x).values()) BOOST_TEST(std::isfinite(g));
}

// ---------------------------------------------------------------- kinks and ends

BOOST_AUTO_TEST_CASE(losses_with_kinks_have_the_slope_0_on_them) {
  Tape tape;
  const Tensor x = tape.input({1, 2, -3});
  BOOST_TEST(gradient(l1_loss(x, tape.input({1, 0, 0}), Reduction::sum), x).values() ==
             Numbers({0, 1, -1}));
  BOOST_TEST(gradient(hinge_loss(x, tape.input({1, -1, -1}), Reduction::sum), x).values() ==
             Numbers({0, 1, 0}));
  const Tensor a = tape.input({{3, 4}}), b = tape.input({{4, 3}}), unlike = tape.input({-1});
  const double margin = cosine_similarity(a, b, 1).at(0);
  const Tensor on_the_margin = cosine_embedding_loss(a, b, unlike, margin);
  BOOST_TEST(on_the_margin.item() == 0);
  BOOST_TEST(gradient(on_the_margin, a).values() == Numbers(2));
}

BOOST_AUTO_TEST_CASE(both_parts_of_a_huber_loss_meet_at_its_delta) {
  Tape tape;
  const Tensor x = tape.input({2, -2}), zeros = tape.input({0, 0});
  const auto at = [&](double delta) { return huber_loss(x, zeros, delta, Reduction::none); };
  BOOST_TEST(at(2).values() == Numbers({2, 2}));
  BOOST_TEST(gradient(sum(at(2)), x).values() == Numbers({2, -2}));
  BOOST_TEST(at(infinity).values() == Numbers({2, 2}));
  BOOST_TEST(gradient(sum(at(infinity)), x).values() == Numbers({2, -2}));
  BOOST_TEST(at(0).values() == Numbers(2));
}

BOOST_AUTO_TEST_CASE(vectors_shorter_than_1e_8_count_as_that_long) {
  Tape tape;
  const Tensor x = tape.input({3e-9, 4e-9}), y = tape.input({3.0, 4.0});
  BOOST_TEST(cosine_similarity(x, y, 0).item() == 0.5, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(cosine_similarity(x, x, 0).item() == 0.25, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(an_entropy_of_certain_mistakes_is_100_with_a_slope_of_1e12) {  // G7
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor p = tape.input({0, 1}), t = tape.input({1, 0});
    const Tensor loss = binary_cross_entropy(p, t, Reduction::none);
    BOOST_TEST(loss.values() == Numbers({100, 100}));
    const Tensor g = gradient(sum(loss), p);
    BOOST_TEST(g.at(0) / -1e12 == 1, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(g.at(1) / 1e12 == 1, boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_CASE(a_label_that_is_smoothed_away_leaves_the_mean_of_all_classes) {
  Tape tape;
  const Tensor x = tape.input({{1, 2, 4}}), label = tape.input({0});
  // The mean of the logits is 7/3.
  const double mean = std::log(std::exp(1.0) + std::exp(2.0) + std::exp(4.0)) - 7.0 / 3;
  BOOST_TEST(cross_entropy(x, label, {.label_smoothing = 1}).item() == mean,
             boost::test_tools::tolerance(1e-14));
}

// ---------------------------------------------------------------- options

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused_with_the_range) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}}), t = tape.input({{0, 1}}), label = tape.input({1});
  const std::size_t size = tape.size();
  const auto refused = [&](const std::function<void()>& call, const char* text) {
    BOOST_TEST(says(call, text));
    BOOST_TEST(says(call, "losses_test.cpp"));
    BOOST_TEST(tape.size() == size);
  };
  const auto smoothed = [&](double by) {
    return [&, by] { cross_entropy(x, label, {.label_smoothing = by}); };
  };
  refused(smoothed(2), "cross_entropy: (1, 2): label_smoothing is 2, and must be from 0 to 1");
  refused(smoothed(-0.1), "label_smoothing is -0.1, and must be from 0 to 1");
  refused(smoothed(not_a_number), "label_smoothing is nan, and must be from 0 to 1");
  refused([&] { huber_loss(x, t, -1); }, "huber_loss: (1, 2): delta is -1, and must be at least 0");
  refused([&] { huber_loss(x, t, not_a_number); }, "delta is nan, and must be at least 0");
  refused([&] { cosine_embedding_loss(x, t, label, 1.5); },
          "cosine_embedding_loss: (1, 2): margin is 1.5, and must be from -1 to 1");
}

BOOST_AUTO_TEST_CASE(a_target_that_is_neither_1_nor_minus_1_is_refused) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}, {3, 4}}), target = tape.input({1, -1});
  const Tensor loss = cosine_embedding_loss(x, x, target);
  for (const double wrong : {0.0, 2.0, 0.5, not_a_number, -infinity}) {
    target.set({1, wrong});
    const std::string text = refusal([&] { tape.replay(loss); });
    BOOST_TEST(has(text, "and must be 1 or -1 (in cosine_embedding_loss)"), text);
    BOOST_TEST(has(text, "losses_test.cpp"), text);
  }
  const Tensor zero_one = tape.input({0, 1});
  BOOST_TEST(says([&] { cosine_embedding_loss(x, x, zero_one); }, "target is 0, and must be 1"));
  BOOST_TEST(says([&] { hinge_loss(tape.input({3, 4}), zero_one); }, "(in hinge_loss)"));
  BOOST_TEST(says([&] { hinge_loss(tape.input(3.0), 0); }, "target is 0, and must be 1 or -1"));
}

// ---------------------------------------------------------------- labels

BOOST_AUTO_TEST_CASE(a_label_that_is_no_class_is_named_with_its_sample_and_the_number_of_classes) {
  Tape tape;
  const Tensor x = tape.input(Numbers(6), Shape{2, 3}),
               places = tape.input(Numbers(6), Shape{1, 3, 2});
  const auto with = [&](double label) {
    return refusal([&] { cross_entropy(x, tape.input({0.0, label})); });
  };
  BOOST_TEST(has(with(3),
                 "cross_entropy: (2, 3) and (2): label 3 of sample 1 is none of the 3 "
                 "classes, numbered from 0"),
             with(3));
  BOOST_TEST(has(with(-1), "label -1 of sample 1"));
  BOOST_TEST(has(with(-100), "label -100 of sample 1"));  // special in PyTorch
  BOOST_TEST(has(with(0.5), "label 0.5 of sample 1"));
  BOOST_TEST(has(with(not_a_number), "label nan of sample 1"));
  BOOST_TEST(has(with(1e30), "label 1e+30 of sample 1"));
  BOOST_TEST(says([&] { cross_entropy(places, tape.input({{0, 7}})); }, "label 7 of sample 0"));
  BOOST_TEST(says(
      [&] {
        nll_loss(x, tape.input({4, 0}));
      },
      "nll_loss: (2, 3) and (2): label 4 of"));
}

BOOST_AUTO_TEST_CASE(a_bad_label_that_comes_with_a_later_batch_blames_the_line_of_the_loss) {
  Tape tape;
  const Tensor x = tape.input(Numbers(6), Shape{2, 3}), labels = tape.input({0, 1});
  const Tensor loss = cross_entropy(x, labels);
  const std::string here = line();
  labels.set({0, 5});
  const std::string text = refusal([&] { tape.replay(loss); });
  BOOST_TEST(has(text, "label 5 of sample 1"), text);
  const std::string before = std::to_string(std::stoi(here.substr(here.find(':') + 1)) - 1);
  BOOST_TEST(has(text, "losses_test.cpp:" + before), text);
}

BOOST_AUTO_TEST_CASE(a_refused_loss_blames_the_callers_line_and_leaves_nothing_on_the_tape) {
  Tape tape;
  const Tensor x = tape.input({1, 2, 3}), t = tape.input({{1, 2, 3}}), wrong = tape.input({7});
  const std::size_t size = tape.size();
  std::string here;
  const std::vector<std::function<void()>> calls = {
      [&] { here = line(), l1_loss(x, t); },
      [&] { here = line(), huber_loss(x, t); },
      [&] { here = line(), cosine_similarity(x, t, 0); },
      [&] { here = line(), cosine_embedding_loss(t, t, x); },
      [&] { here = line(), cross_entropy(t, x); },
      [&] { here = line(), cross_entropy(t, wrong); },
      [&] { here = line(), cross_entropy(t, wrong, {.label_smoothing = 0.1, .ignore_index = 2}); },
      [&] { here = line(), cross_entropy(t, t, {.ignore_index = 2}); },
      [&] { here = line(), nll_loss(t, wrong); },
      [&] { here = line(), binary_cross_entropy(x, x); }};
  for (const auto& call : calls) {
    const std::string text = refusal(call);
    BOOST_TEST(has(text, here), text);
    BOOST_TEST(tape.size() == size);
  }
}

BOOST_AUTO_TEST_CASE(an_ignored_sample_counts_nothing_whatever_its_logits) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}, {not_a_number, infinity}, {0, 0}});
  const Tensor labels = tape.input({0, -100, 1});
  const Tensor loss = cross_entropy(x, labels, {.ignore_index = -100});
  BOOST_TEST(loss.item() == (std::log1p(std::exp(1.0)) + std::log(2.0)) / 2,
             boost::test_tools::tolerance(1e-15));
  const Tensor g = gradient(loss, x);
  BOOST_TEST(g.at(1, 0) == 0);
  BOOST_TEST(g.at(1, 1) == 0);
  BOOST_TEST(g.at(2, 0) == 0.25);
  labels.set({-100, -100, -100});
  tape.replay(loss);
  BOOST_TEST(std::isnan(loss.item()));  // the mean of nothing
}

BOOST_AUTO_TEST_CASE(logits_are_no_probabilities) {
  Tape tape;
  const Tensor t = tape.input({0, 1});
  for (const double logit : {-0.1, 1.1})
    BOOST_TEST(says(
        [&] {
          binary_cross_entropy(tape.input({0.5, logit}), t);
        },
        "is no probability; of logits there is binary_cross_entropy_with_logits"));
  BOOST_TEST(std::isnan(binary_cross_entropy(tape.input({0.5, not_a_number}), t).item()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
