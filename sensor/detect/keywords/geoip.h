// geoip: the countries of a packet's addresses.
#pragma once

#include "sensor/detect/keyword.h"

namespace vong::detect {

Status setup_geoip(RuleBuilder& b, const rules::Option& option);

}  // namespace vong::detect
