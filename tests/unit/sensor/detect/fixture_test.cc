#include "tests/unit/sensor/detect/fixture.h"

#include <fmt/format.h>

namespace vong::detect {
namespace {

using applayer::BufferDef;
using applayer::BufferView;
using applayer::Transaction;

const TestTx& of(const Transaction& tx) { return static_cast<const TestTx&>(tx); }

BufferView text(const Transaction& tx, const std::string& s) {
  if (s.empty()) return BufferView::none();
  BufferView v = BufferView::of(s);
  v.complete = of(tx).complete;
  return v;
}
BufferView request(const Transaction& tx, Direction, uint32_t, applayer::BufferScratch&) { return text(tx, of(tx).request); }
BufferView response(const Transaction& tx, Direction, uint32_t, applayer::BufferScratch&) { return text(tx, of(tx).response); }
BufferView names(const Transaction& tx, Direction, uint32_t i, applayer::BufferScratch&) {
  return i < of(tx).names.size() ? BufferView::of(of(tx).names[i]) : BufferView::none();
}

constexpr uint8_t kNo = BufferDef::kNotHere;
constexpr BufferDef kBuffers[] = {
    {"test.request", "test_request", "test_request_old", 'U', 1, kNo, request, false, false, "Request"},
    {"test.response", "", "", 0, kNo, 1, response, false, false, "Response"},
    {"test.names", "", "", 0, 1, kNo, names, true, false, "Names"},
    {"test.body", "", "", 0, 1, kNo, request, false, true, "Grows"},
};
constexpr applayer::NumberDef::Value kValues[] = {{"query", 0}, {"update", 5}};
constexpr applayer::NumberDef kNumbers[] = {
    {"test.number", "", 1, kNo, [](const Transaction& tx, Direction, uint32_t i) { return i == 0 ? std::optional(of(tx).number) : std::nullopt; }, kValues,
     false, 8, "Number"},
};
constexpr std::string_view kFrames[] = {"pdu", "data"};
constexpr applayer::EventDef kEvents[] = {{"odd", ""}, {"worse", ""}};

}  // namespace

const applayer::ProtocolDef kTestProtocol = [] {
  applayer::ProtocolDef def;
  def.id = applayer::AppProto::kTelnet;
  def.name = "telnet";
  def.complete = {2, 2};
  def.buffers = kBuffers;
  def.numbers = kNumbers;
  def.events = kEvents;
  def.frames = kFrames;
  return def;
}();

const Catalog& test_catalog() {
  static const applayer::ProtocolDef* const kAll[] = {&kTestProtocol};
  static const Catalog catalog(kAll);
  return catalog;
}

DetectTest::DetectTest() {
  flow_.key.src = *IpAddress::parse("10.0.0.1");
  flow_.key.dst = *IpAddress::parse("10.0.0.2");
  auto stream = std::make_unique<TestStream>();
  stream_ = stream.get();
  flow_.set_slot(flow::FlowSlot::kStream, std::move(stream));
}

void DetectTest::load(std::string_view rules, uint32_t failures) {
  LoadOptions options;
  options.catalog = &test_catalog();
  report_ = {};
  auto set = RuleSet::from_text("test.rules", std::string(rules), options, settings_, report_);
  ASSERT_TRUE(set.has_value()) << set.error().message;
  std::string problems;
  for (const auto& d : report_.diagnostics) problems += d.format() + "\n";
  ASSERT_EQ(report_.counts.failed, failures) << problems;
  rules_ = *set;
  shared_ = std::make_unique<SharedState>(settings_);
  detector_ = std::make_unique<Detector>(rules_, settings_, *shared_);
}

std::string DetectTest::error_of(std::string_view rule) {
  LoadOptions options;
  options.catalog = &test_catalog();
  LoadReport report;
  auto set = RuleSet::from_text("test.rules", std::string(rule), options, settings_, report);
  if (!set) return set.error().message;
  for (const auto& d : report.diagnostics) {
    if (d.severity == rules::Severity::kError) return d.message;
  }
  return "";
}

Packet DetectTest::packet(std::string_view payload, uint16_t sport, uint16_t dport) {
  Packet p;
  p.ts = now_;
  p.is_udp = true;
  p.ip.version = 4;
  p.ip.protocol = 17;
  p.src = *IpAddress::parse("10.0.0.1");
  p.dst = *IpAddress::parse("10.0.0.2");
  p.sport = sport;
  p.dport = dport;
  p.payload = as_bytes(payload);
  return p;
}

Packet DetectTest::tcp(std::string_view payload, Direction d) {
  Packet p = packet(payload);
  p.is_udp = false;
  p.is_tcp = true;
  p.ip.protocol = 6;
  p.flow = &flow_;
  p.direction = d;
  p.flow_established = true;
  if (d == Direction::kToClient) {
    std::swap(p.src, p.dst);
    std::swap(p.sport, p.dport);
  }
  stream_->data[index(d)] += payload;
  ++flow_.counters[index(d)].packets;
  return p;
}

std::vector<uint32_t> DetectTest::sids(Packet& p) {
  std::vector<uint32_t> result;
  for (const Alert& a : detector_->inspect(p)) result.push_back(a.rule->sid);
  return result;
}

std::vector<uint32_t> DetectTest::match(std::string_view rules, std::string_view payload) {
  load(rules);
  return sids(packet(payload));
}

bool DetectTest::matches(std::string_view options, std::string_view payload) {
  return !match(fmt::format("alert udp any any -> any any ({}; sid:1;)", options), payload).empty();
}

TestParser& DetectTest::use_test_protocol() {
  auto state = std::make_unique<applayer::FlowAppState>();
  state->proto = kTestProtocol.id;
  state->proto_of = {kTestProtocol.id, kTestProtocol.id};
  state->def = &kTestProtocol;
  auto parser = std::make_unique<TestParser>();
  TestParser& result = *parser;
  state->parser = std::move(parser);
  flow_.set_slot(flow::FlowSlot::kAppLayer, std::move(state));
  return result;
}

}  // namespace vong::detect
