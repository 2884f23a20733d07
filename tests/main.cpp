// The one main of the unit tests.
#define BOOST_TEST_MODULE tapegrad
#include <boost/test/unit_test.hpp>
