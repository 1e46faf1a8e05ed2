#include "sensor/applayer/core/driver_config.h"

namespace vong::applayer {

DriverConfig::DriverConfig(const Settings& settings, std::span<const ProtocolDef* const> protocols)
    : detector_(settings, protocols), midstream_(settings.flag("stream.midstream", false)) {
  error_policy_ = ExceptionPolicies::from_settings(settings).of(ExceptionTarget::kAppLayerError);
  frame_records_ = settings.flag("app-layer.frame-records", false);
  frames_ = frame_records_ || settings.flag("app-layer.frames", false);
  for (const ProtocolDef* def : protocols) {
    Entry& e = entries_[static_cast<size_t>(def->id)];
    e.def = def;
    for (const bool tcp : {false, true}) e.mode[tcp] = protocol_mode(settings, *def, tcp);
    if (def->configure != nullptr) e.object = def->configure(settings);
  }
}

std::shared_ptr<const DriverConfig> make_driver_config(
    const Settings& settings, std::span<const ProtocolDef* const> protocols) {
  return std::make_shared<const DriverConfig>(settings, protocols);
}

}  // namespace vong::applayer
