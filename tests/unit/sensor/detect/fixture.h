// A small language for detection tests: rules as text, packets and transactions as literals, alerts as sids.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/applayer/core/driver.h"
#include "sensor/detect/buffer_catalog.h"
#include "sensor/detect/detector.h"
#include "sensor/detect/rule_set.h"
#include "sensor/flow/raw_stream.h"

namespace vong::detect {

// A protocol with one buffer a direction: what a test needs of an application layer.
struct TestTx : applayer::Transaction {
  std::string request, response;
  std::vector<std::string> names;       // "test.names", several
  bool complete = true;                 // of the buffers
  uint64_t number = 0;
};
extern const applayer::ProtocolDef kTestProtocol;
const Catalog& test_catalog();

struct TestParser : applayer::Parser {
  applayer::ParseResult parse(Direction, const applayer::Input& in) override { return applayer::ParseResult::ok(in.data.size()); }
  bool gap(Direction, uint64_t) override { return true; }
  TestTx& tx() { return add(std::make_unique<TestTx>()); }
};

struct TestStream : flow::RawStream {
  std::string data[kDirections];
  uint64_t done[kDirections] = {};
  bool is_established = true;
  Window raw_window(Direction d, bool) const override {
    const auto i = static_cast<size_t>(index(d));
    if (done[i] >= data[i].size()) return {};
    return {as_bytes(data[i]), 0};
  }
  uint64_t raw_inspected(Direction d) const override { return done[index(d)]; }
  void raw_done(Direction d, uint64_t offset) override { done[index(d)] = offset; }
  void raw_trigger(Direction) override {}
  uint64_t stream_size(Direction d) const override { return data[index(d)].size(); }
  bool established() const override { return is_established; }
  bool spoke_first(Direction) const override { return false; }
  bool was_reset() const override { return false; }
  bool depth_reached(Direction) const override { return false; }
  flow::TcpSummary summary() const override { return {}; }
  void raw_stop(Direction) override {}
  bool gives_way_to(const Packet&, Direction) const override { return false; }
};

class DetectTest : public ::testing::Test {
 protected:
  DetectTest();
  // Loads rules; every rule must load unless `failures` says how many do not.
  void load(std::string_view rules, uint32_t failures = 0);
  // The message of the only rule's failure, "" when it loads.
  std::string error_of(std::string_view rule);

  Packet packet(std::string_view payload, uint16_t sport = 40000, uint16_t dport = 80);   // UDP, 10.0.0.1 -> 10.0.0.2
  Packet tcp(std::string_view payload, Direction d = Direction::kToServer);               // of flow_
  std::vector<uint32_t> sids(Packet& p);
  std::vector<uint32_t> sids(Packet&& p) { return sids(p); }
  // Sids that fire on a UDP payload, one rule set, no flow.
  std::vector<uint32_t> match(std::string_view rules, std::string_view payload);
  bool matches(std::string_view options, std::string_view payload);

  TestParser& use_test_protocol();

  Settings settings_;
  LoadReport report_;
  std::shared_ptr<const RuleSet> rules_;
  std::unique_ptr<SharedState> shared_;
  std::unique_ptr<Detector> detector_;
  flow::Flow flow_;
  TestStream* stream_ = nullptr;
  Timestamp now_ = timestamp_from_ns(1'700'000'000'000'000'000);
};

}  // namespace vong::detect
