// What drivers share: the protocols that are on, their configuration objects, the detector.
// Immutable.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "sensor/applayer/core/detector.h"
#include "sensor/applayer/core/driver.h"

namespace vong::applayer {

class DriverConfig {
 public:
  DriverConfig(const Settings& settings, std::span<const ProtocolDef* const> protocols);

  [[nodiscard]] const Detector& detector() const { return detector_; }
  // Null: not in the list.
  [[nodiscard]] const ProtocolDef* def(AppProto id) const { return entry(id).def; }
  [[nodiscard]] ProtocolMode mode(AppProto id, bool tcp) const { return entry(id).mode[tcp]; }
  [[nodiscard]] const void* object(AppProto id) const { return entry(id).object.get(); }
  // stream.midstream: flows may be met in the middle.
  [[nodiscard]] bool midstream() const { return midstream_; }

  // What becomes of a flow whose parser gives up.
  [[nodiscard]] ExceptionPolicy error_policy() const { return error_policy_; }
  // Rules or records ask for frames (app-layer.frames, app-layer.frame-records: set by the program).
  [[nodiscard]] bool frames() const { return frames_; }
  [[nodiscard]] bool frame_records() const { return frame_records_; }

 private:
  struct Entry {
    const ProtocolDef* def = nullptr;
    ProtocolMode mode[2] = {ProtocolMode::kOff, ProtocolMode::kOff};
    std::shared_ptr<const void> object;
  };
  [[nodiscard]] const Entry& entry(AppProto id) const { return entries_[static_cast<size_t>(id)]; }

  std::array<Entry, static_cast<size_t>(AppProto::kCount)> entries_;
  Detector detector_;
  bool midstream_ = false;
  ExceptionPolicy error_policy_ = ExceptionPolicy::kIgnore;
  bool frames_ = false, frame_records_ = false;
};

}  // namespace vong::applayer
