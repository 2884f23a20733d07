#include "tapegrad/ops/catalogue.hpp"

namespace tapegrad {

std::vector<const Op*> catalogue() {
  std::vector<const Op*> all;
  for (const Family family :
       {arithmetic_family(), function_family(), trigonometry_family(), activation_family(),
        reduction_family(), statistics_family(), along_family(), product_family(), layout_family(),
        part_family(), index_family(), fill_family(), normalise_family(), random_family(),
        flow_family(), loss_family(), classification_family(), convolution_family(), pool_family()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

}  // namespace tapegrad
