// Records of the sensor about itself: a reload, a step of overload, a lost life signal. They stand
// in sensor.json in the log folder (eve.json's form is closed) and go Kafka's way with the sensor
// as their key. Any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/app/outputs.h"

namespace vong::sensor {

class OwnRecords {
 public:
  // `folder` "-": no file. `output` has to outlive it.
  OwnRecords(const Settings& settings, const std::string& folder, Output& output);
  ~OwnRecords();
  OwnRecords(const OwnRecords&) = delete;
  OwnRecords& operator=(const OwnRecords&) = delete;

  // {"timestamp", "event_type": "sensor", "host", "sensor": {"kind": KIND, ...fields}}; `fields` is
  // the inside of a JSON object. What cannot be written is said in the log.
  void write(Timestamp now, std::string_view kind, std::string_view fields);

 private:
  std::mutex mutex_;
  std::string sensor_, path_;
  int fd_ = -1;
  Output& output_;
};

}  // namespace vong::sensor
