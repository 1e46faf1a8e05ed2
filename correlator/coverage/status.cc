#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "correlator/coverage/board.h"
#include "correlator/coverage/limits.h"

namespace vong::coverage {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}
uint64_t number_of(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}
const Json& part_of(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto it = object.find(key);
  return it == object.end() ? kNone : *it;
}
uint64_t sum_of(const Json& object) {
  uint64_t sum = 0;
  if (!object.is_object()) return 0;
  for (const auto& [key, value] : object.items())
    sum += value.is_number_unsigned() ? value.get<uint64_t>() : 0;
  return sum;
}

}  // namespace

Result<Status> read_status(std::string_view json) {
  if (json.size() > kStatusBytesMax) return fail("status: record too long");
  const Json root = Json::parse(json, nullptr, false);
  if (!root.is_object()) return fail("status: not a JSON object");
  Status s;
  s.sensor = text_of(root, "sensor");
  if (s.sensor.empty() || s.sensor.size() > 256) return fail("status: sensor is missing");
  const auto time = parse_eve_time(text_of(root, "timestamp"));
  if (!time) return fail("status: timestamp is missing or not a time");
  s.time_ns = to_ns(*time);
  s.agency = text_of(root, "agency");
  s.start = text_of(root, "start");
  const uint64_t interval = number_of(root, "interval_seconds");
  if (interval > 0 && interval <= 86'400)
    s.interval_ns = static_cast<int64_t>(interval) * 1'000'000'000;
  s.rules_hash = text_of(part_of(root, "rules"), "hash");
  const Json& interfaces = part_of(root, "interfaces");
  if (interfaces.is_array()) {
    for (const Json& i : interfaces) s.packets += number_of(i, "packets");
  }
  s.dropped = sum_of(part_of(part_of(root, "loss"), "dropped"));
  s.not_inspected = sum_of(part_of(part_of(root, "loss"), "not_inspected"));
  s.unsent_events = number_of(part_of(root, "spool"), "unsent_events");
  s.oldest_unsent_seconds = number_of(part_of(root, "spool"), "oldest_unsent_seconds");
  return s;
}

}  // namespace vong::coverage
