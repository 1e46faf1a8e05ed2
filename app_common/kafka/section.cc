#include "app_common/kafka/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace vong::app {
namespace {

using std::chrono::milliseconds;

milliseconds to_ms(Duration d) { return std::chrono::duration_cast<milliseconds>(d); }

void apply(kafka::ClientConfig& client, const std::string& key, const ConfigNode& node,
           std::string_view value, Problems& problems) {
  if (Result<> ok = kafka::set(client, key, value); !ok)
    problems.error(node.place(), ok.error().message);
}

// One key of the client: a scalar, or a map whose entries are "<key>.<entry>".
void read_client_key(kafka::ClientConfig& client, const std::string& key, const ConfigNode& node,
                     Problems& problems) {
  if (node.is_map()) {
    for (const auto& [name, value] : node.entries())
      read_client_key(client, key + "." + name, value, problems);
  } else if (key == "brokers" && node.is_list()) {
    std::string joined;
    for (const std::string& broker : node.texts(problems))
      joined += (joined.empty() ? "" : ",") + broker;
    apply(client, key, node, joined, problems);
  } else if (node && !node.is_null()) {
    apply(client, key, node, node.text("", problems), problems);
  }
}

void read_transaction(KafkaSection& section, const ConfigNode& node, Problems& problems) {
  using namespace std::chrono_literals;
  node.report_unknown_keys({"records", "bytes", "age", "timeout"}, Severity::kError, problems);
  section.transaction_records = static_cast<std::size_t>(node["records"].integer(
      static_cast<int64_t>(section.transaction_records), 1, 1'000'000, problems));
  section.transaction_bytes =
      node["bytes"].bytes(section.transaction_bytes, 1 << 20, 256 << 20, problems);
  section.transaction_age =
      to_ms(node["age"].duration(section.transaction_age, 1ms, 10s, problems));
  section.transaction_timeout =
      to_ms(node["timeout"].duration(section.transaction_timeout, 5s, 15min, problems));
}

}  // namespace

bool is_agency_id(std::string_view text) {
  constexpr std::size_t kMaxSize = 35;
  if (text.empty() || text.size() > kMaxSize || text.front() == '.' || text.back() == '.' ||
      text.find("..") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'; });
}

bool is_sensor_id(std::string_view text) {
  constexpr std::size_t kMaxSize = 64;
  return !text.empty() && text.size() <= kMaxSize && std::ranges::all_of(text, [](unsigned char c) {
    return (std::isalnum(c) != 0 && c < 0x80) || c == '.' || c == '_' || c == '-';
  });
}

KafkaSection read_kafka_section(const ConfigNode& node,
                                std::initializer_list<std::string_view> also_known,
                                Problems& problems) {
  KafkaSection section;
  if (!node || node.is_null()) return section;
  if (!node.is_map()) {
    problems.error(node.place(), "expected a map of kafka's keys");
    return section;
  }
  std::vector<std::string_view> own = {"agency",      "sensor",      "topic",
                                       "compression", "transaction", "spool"};
  own.insert(own.end(), also_known);
  std::vector<std::string_view> known = own;
  for (const kafka::ClientKey& key : kafka::client_keys())
    known.push_back(key.name.substr(0, key.name.find('.')));

  for (const auto& [name, value] : node.entries()) {
    const std::string_view top = std::string_view(name).substr(0, name.find('.'));
    if (std::ranges::find(own, name) != own.end()) continue;
    if (std::ranges::find(known, top) != known.end()) {
      read_client_key(section.client, name, value, problems);
      continue;
    }
    const std::string_view near = nearest_name(name, known);
    problems.error(value.place(),
                   near.empty() ? fmt::format("unknown key '{}'", name)
                                : fmt::format("unknown key '{}', did you mean '{}'?", name, near));
  }

  section.agency = node["agency"].text("", problems);
  if (!section.agency.empty() && !is_agency_id(section.agency)) {
    problems.error(node["agency"].place(),
                   "expected an agency's identifier: groups of A-Z and 0-9 with dots between, at "
                   "most 35 characters");
  }
  section.sensor = node["sensor"].text("", problems);
  if (!section.sensor.empty() && !is_sensor_id(section.sensor)) {
    problems.error(
        node["sensor"].place(),
        "expected a sensor's identifier: letters, digits, '.', '_' and '-', at most 64 characters");
  }
  section.topic =
      node["topic"].text(section.agency.empty() ? "" : "vong.events." + section.agency, problems);
  section.compression = node["compression"].text(section.compression, problems);
  constexpr std::array<std::string_view, 5> kCompressions = {"none", "gzip", "snappy", "lz4",
                                                             "zstd"};
  if (std::ranges::find(kCompressions, section.compression) == kCompressions.end()) {
    problems.error(
        node["compression"].place(),
        fmt::format("expected none, gzip, snappy, lz4 or zstd, found '{}'", section.compression));
  }
  read_transaction(section, node["transaction"], problems);
  const ConfigNode& spool = node["spool"];
  spool.report_unknown_keys({"dir", "bytes-max", "segment"}, Severity::kError, problems);
  section.spool_dir = spool["dir"].text("", problems);
  section.spool_bytes =
      spool["bytes-max"].bytes(section.spool_bytes, uint64_t{16} << 20, uint64_t{1} << 44, problems);
  section.segment_bytes =
      spool["segment"].bytes(section.segment_bytes, uint64_t{1} << 20, uint64_t{1} << 30, problems);
  if (section.enabled()) {
    if (Result<> ok = kafka::check(section.client); !ok)
      problems.error(node.place(), ok.error().message);
  }
  return section;
}

}  // namespace vong::app
