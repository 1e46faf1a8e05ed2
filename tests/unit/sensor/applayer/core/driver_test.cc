// The driver with two toy protocols: "ping" (client says PING, server PONG, lines) and "star"
// (after STAR: upgrade).
#include "sensor/applayer/core/driver.h"

#include <gtest/gtest.h>

#include <tuple>

#include "base/strings.h"
#include "sensor/reassembly/tcp_engine.h"
#include "sensor/reassembly/tcp_session.h"

namespace vong::applayer {
namespace {

struct LineTransaction : Transaction {
  std::string line;
};

// Lines in, a transaction each; "BAD" is an error, "UP" upgrades to ping, "BYE" ends the direction.
class LineParser : public Parser {
 public:
  ParseResult parse(Direction d, const Input& in) override {
    const std::string_view text = as_text(in.data);
    size_t at = 0;
    for (size_t nl = text.find('\n'); nl != std::string_view::npos; nl = text.find('\n', at)) {
      const std::string_view line = text.substr(at, nl - at);
      at = nl + 1;
      if (line == "BAD") return ParseResult::error();
      if (line == "UP") return ParseResult::upgrade(at, AppProto::kTls);
      if (line == "BYE") return ParseResult::done(at);
      auto tx = std::make_unique<LineTransaction>();
      tx->line = line;
      tx->progress = {1, 1};
      if (transactions.size() < 8) add(std::move(tx));
      log.append(d == Direction::kToServer ? ">" : "<").append(line).append(";");
    }
    return ParseResult::ok(at, text.size() - at + 2);
  }
  bool gap(Direction, uint64_t) override { return tolerant; }
  void end() override { log += "end;"; }
  void upgraded_from(const Parser& old, AppProto) override {
    log = static_cast<const LineParser&>(old).log + "up;";
  }

  std::string log;
  bool tolerant = false;
};

std::unique_ptr<Parser> make_line_parser(const void*) { return std::make_unique<LineParser>(); }

constexpr ProbePattern kPingPatterns[] = {
    {"PING ", false, 0, 0, Direction::kToServer},
    {"PONG ", true, 0, 0, Direction::kToClient},
};
constexpr ProbePattern kStarPatterns[] = {
    {"STAR", false, 2, 10, Direction::kToServer},
    {"star", false, 2, 10, Direction::kToClient},
};
ProbeVerdict probe_number(Direction, Bytes data) {
  if (data.size() < 4) return ProbeVerdict::kMoreData;
  if (data[0] == 0x42) return ProbeVerdict::kYes;
  return data[0] == 0x43 ? ProbeVerdict::kReversed : ProbeVerdict::kNo;
}
constexpr uint16_t kNumberPorts[] = {4242};

ProtocolDef make_def(AppProto id, std::string_view name, ProbeDef probe) {
  ProtocolDef def;
  def.id = id;
  def.name = name;
  def.probe = probe;
  def.complete = {1, 1};
  def.make = make_line_parser;
  return def;
}

class DriverTest : public testing::Test {
 protected:
  DriverTest() { start({}); }

  void start(const Settings& settings) {
    driver_ = std::make_unique<Driver>(make_driver_config(settings, protocols_));
  }
  size_t data(Direction d, std::string_view text, bool end = false) {
    packet_.direction = d;
    return driver_->on_data(flow_, packet_, d,
                            {as_bytes(text), offset_[static_cast<size_t>(index(d))], end});
  }
  size_t client(std::string_view text, bool end = false) {
    return data(Direction::kToServer, text, end);
  }
  size_t server(std::string_view text, bool end = false) {
    return data(Direction::kToClient, text, end);
  }
  FlowAppState& state() { return *app_state(flow_); }
  LineParser& parser() { return static_cast<LineParser&>(*state().parser); }
  bool has(DriverEvent e) { return (state().driver_events >> static_cast<unsigned>(e) & 1) != 0; }

  ProtocolDef ping_ = make_def(AppProto::kFtp, "ftp", {true, false, kPingPatterns, nullptr, {}, 0});
  ProtocolDef star_ = make_def(AppProto::kTls, "tls", {true, false, kStarPatterns, nullptr, {}, 0});
  ProtocolDef number_ =
      make_def(AppProto::kDns, "dns", {true, true, {}, probe_number, kNumberPorts, 2});
  std::vector<const ProtocolDef*> protocols_ = {&ping_, &star_, &number_};
  std::unique_ptr<Driver> driver_;
  flow::Flow flow_;
  Packet packet_;
  uint64_t offset_[2] = {0, 0};
};

TEST_F(DriverTest, PatternDecidesAndBytesReachTheParser) {
  EXPECT_EQ(client("PING a\nrest"), 7u);
  EXPECT_EQ(state().proto, AppProto::kFtp);
  EXPECT_EQ(parser().log, ">PING a;");
}

TEST_F(DriverTest, LittleDataIsHeldUntilEnoughIsThere) {
  EXPECT_EQ(client("PI"), 0u);
  EXPECT_EQ(state().proto, AppProto::kUnknown);
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(parser().log, ">PING a;");
}

TEST_F(DriverTest, ParserIsNotCalledBeforeTheBytesItNeedsAreThere) {
  EXPECT_EQ(client("PING a\nab"), 7u);
  const uint64_t calls = driver_->counters().parse_calls;
  EXPECT_EQ(client("abc"), 0u);  // it asked for four
  EXPECT_EQ(driver_->counters().parse_calls, calls);
  EXPECT_EQ(client("abc\n"), 4u);
}

TEST_F(DriverTest, PatternMayStandWithinARange) {
  EXPECT_EQ(client("xxxxSTAR y\n"), 11u);
  EXPECT_EQ(state().proto, AppProto::kTls);
}

TEST_F(DriverTest, BothDirectionsAgree) {
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(server("pong a\n"), 7u);
  EXPECT_EQ(parser().log, ">PING a;<pong a;");
  EXPECT_EQ(state().driver_events, 0u);
}

TEST_F(DriverTest, OtherProtocolInTheOtherDirectionIsAnEventAndTheFirstStays) {
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(server("..star..\n"), 9u);
  EXPECT_TRUE(has(DriverEvent::kMismatchProtocolBothDirections));
  EXPECT_EQ(state().proto, AppProto::kFtp);
  EXPECT_EQ(state().proto_of[1], AppProto::kTls);
}

TEST_F(DriverTest, DirectionThatIsNotRecognizedGoesToTheOthersParser) {
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(server("who\n"), 0u);  // too short to tell
  EXPECT_EQ(server("who knows what this is\n"), 23u);
  EXPECT_TRUE(has(DriverEvent::kDetectProtocolOnlyOneDirection));
  EXPECT_EQ(parser().log, ">PING a;<who knows what this is;");
}

TEST_F(DriverTest, ServerMaySpeakFirst) {
  EXPECT_EQ(server("PONG a\n"), 7u);
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(parser().log, "<PONG a;>PING a;");
}

TEST_F(DriverTest, WhatOneSideTellsIsEnoughWhereTheProtocolSaysSo) {
  ping_.probe.one_side_tells = true;
  start({});
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(server("who knows what this is\n"), 23u);
  EXPECT_FALSE(has(DriverEvent::kDetectProtocolOnlyOneDirection));
}

TEST_F(DriverTest, WhoSpokeFirstIsWhoseBytesArrivedFirst) {
  const reassembly::TcpConfig config;
  reassembly::SessionMemory memory;
  auto session = std::make_unique<reassembly::TcpSession>(config, memory);
  session->of(Direction::kToServer).spoke_first = true;
  flow_.set_slot(flow::FlowSlot::kStream, std::move(session));
  EXPECT_EQ(server("who knows what this is\n"), 0u);  // acknowledged before the question was
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_FALSE(driver_->other_side_first(flow_, Direction::kToServer));
  EXPECT_EQ(server("who knows what this is\n"), 23u);
  EXPECT_EQ(parser().log, ">PING a;<who knows what this is;");
  flow_.set_slot(flow::FlowSlot::kStream, nullptr);
}

TEST_F(DriverTest, ATransactionsEndHandsOutTheStreamWhereTheProtocolSaysSo) {
  const reassembly::TcpConfig config;
  reassembly::SessionMemory memory;
  for (const auto& [to_server, to_client] : {std::pair(false, false), std::pair(true, false), std::pair(true, true)}) {
    ping_.end_hands_out_stream = {to_server, to_client};
    start({});
    flow_.set_slot(flow::FlowSlot::kAppLayer, nullptr);
    auto owned = std::make_unique<reassembly::TcpSession>(config, memory);
    const reassembly::TcpSession& session = *owned;
    flow_.set_slot(flow::FlowSlot::kStream, std::move(owned));
    EXPECT_EQ(client("PING a\n"), 7u);
    EXPECT_EQ(session.of(Direction::kToServer).raw_triggered, to_server);
    EXPECT_EQ(session.of(Direction::kToClient).raw_triggered, to_client);
  }
  flow_.set_slot(flow::FlowSlot::kStream, nullptr);
}

TEST(Transaction, EventsAreKeptAsOftenAsTheyHappenUpToTheCap) {
  LineTransaction tx;
  tx.add_event(3);
  tx.add_event(3);
  EXPECT_EQ(tx.events().size(), 2u);
  for (size_t i = 0; i < 2 * kMaxEventsPerTransaction; ++i) tx.add_event(3);
  EXPECT_EQ(tx.events().size(), kMaxEventsPerTransaction);
  tx.add_event(4);
  tx.add_event(4);
  EXPECT_EQ(tx.events().size(), kMaxEventsPerTransaction + 1);  // many of one kind hide no other
}

TEST_F(DriverTest, NothingFoundInBothDirectionsFails) {
  EXPECT_EQ(client("some text that is no protocol"), 0u);
  EXPECT_EQ(server("some text that is no protocol"), 29u);
  EXPECT_EQ(state().proto, AppProto::kFailed);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToServer));
}

TEST_F(DriverTest, MuchDataWithoutAnswerGivesUp) {
  const std::string much(100'001, 'x');
  EXPECT_EQ(client(much), much.size());
  EXPECT_EQ(state().proto, AppProto::kFailed);
  EXPECT_TRUE(has(DriverEvent::kProtoDetectionSkipped));
}

TEST_F(DriverTest, ExpectedProtocolIsNotWaitedForWithoutEnd) {
  ping_.probe.when_expected = [](Direction, Bytes) { return ProbeVerdict::kMoreData; };
  start({});
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(server("some"), 0u);
  const std::string much = std::string(100'001, 'x') + "\n";
  EXPECT_EQ(server(much), much.size());
}

TEST_F(DriverTest, MidstreamMustBeFoundToServer) {
  flow_.midstream = true;
  EXPECT_EQ(client("half of a request it seems"), 26u);
  EXPECT_EQ(state().proto, AppProto::kFailed);
}

TEST_F(DriverTest, MidstreamTheWrongWayRoundIsTurned) {
  flow_.midstream = true;
  EXPECT_EQ(client("PONG a\n"), 7u);
  EXPECT_TRUE(state().reverse_wanted);
  EXPECT_EQ(parser().log, "<PONG a;");
  EXPECT_EQ(server("PING b\n"), 7u);
  EXPECT_EQ(parser().log, "<PONG a;>PING b;");
}

TEST_F(DriverTest, WhatSaysNotWhoseItIsGoesByThePortsWhereNoHandshakeWasSeen) {
  ProtocolDef sealed = make_def(AppProto::kSmb, "smb", {true, false, {}, [](Direction, Bytes) { return ProbeVerdict::kEitherWay; }, {}, 0});
  protocols_ = {&sealed};
  start({});
  flow_.midstream = true;
  flow_.key.sport = 445;
  flow_.key.dport = 40000;
  EXPECT_EQ(client("x\n"), 2u);
  EXPECT_TRUE(state().reverse_wanted);
  EXPECT_EQ(state().proto, AppProto::kSmb);
}

TEST_F(DriverTest, ProbeIsAskedOnItsPortsOnly) {
  EXPECT_EQ(client("\x42 is the answer to it\n"), 0u);
  EXPECT_EQ(state().proto, AppProto::kUnknown);
  flow_ = flow::Flow();
  flow_.key.dport = 4242;
  EXPECT_EQ(client("\x42 is the answer to it\n"), 22u);
  EXPECT_EQ(state().proto, AppProto::kDns);
}

TEST_F(DriverTest, DetectionPortsComeFromTheSettings) {
  Settings settings;
  settings.set("app-layer.protocols.dns.tcp.detection-ports.dp", "7, 99");
  start(settings);
  flow_.key.dport = 99;
  EXPECT_EQ(client("\x42 is the answer to it\n"), 22u);
  EXPECT_EQ(state().proto, AppProto::kDns);
}

TEST_F(DriverTest, ProtocolCanBeOffOrForDetectionOnly) {
  Settings settings;
  settings.set("app-layer.protocols.ftp.enabled", "no");
  start(settings);
  EXPECT_EQ(client("PING a, and then some more\n"), 0u);
  EXPECT_EQ(state().proto, AppProto::kUnknown);
  flow_ = flow::Flow();
  settings.set("app-layer.protocols.ftp.enabled", "detection-only");
  start(settings);
  EXPECT_EQ(client("PING a\n"), 7u);
  EXPECT_EQ(state().proto, AppProto::kFtp);
  EXPECT_EQ(state().parser, nullptr);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToServer));
}

TEST_F(DriverTest, ErrorEndsTheParsersWork) {
  EXPECT_EQ(client("PING a\nBAD\nmore"), 15u);
  EXPECT_TRUE(state().failed);
  EXPECT_EQ(parser().log, ">PING a;end;");
  EXPECT_EQ(driver_->counters().tcp[static_cast<size_t>(AppProto::kFtp)].errors_parser, 1u);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToClient));
}

TEST_F(DriverTest, DoneEndsOneDirection) {
  EXPECT_EQ(client("PING a\nBYE\nmore"), 15u);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToServer));
  EXPECT_TRUE(driver_->wants(flow_, Direction::kToClient));
}

TEST_F(DriverTest, UpgradeHandsOverToTheNextProtocolAtTheNextBytes) {
  EXPECT_EQ(client("PING a\nUP\n..STAR\n"), 10u);
  EXPECT_EQ(state().proto, AppProto::kFtp);  // still: its transactions are logged after this packet
  EXPECT_EQ(client("..STAR more than enough\n"), 24u);
  EXPECT_EQ(state().proto, AppProto::kTls);
  EXPECT_EQ(state().proto_original, AppProto::kFtp);
  EXPECT_EQ(parser().log, ">PING a;end;up;>..STAR more than enough;");
  EXPECT_EQ(state().driver_events, 0u);
}

TEST_F(DriverTest, UpgradeToTlsWithoutTlsIsAnEvent) {
  EXPECT_EQ(client("PING a\nUP\n"), 10u);
  EXPECT_EQ(client("no hello of any kind here\n"), 0u);
  EXPECT_EQ(server("no hello of any kind here\n"), 26u);
  EXPECT_TRUE(has(DriverEvent::kNoTlsAfterStarttls));
}

TEST_F(DriverTest, GapBeforeDetectionGivesUpAndInAParserItDecides) {
  driver_->on_gap(flow_, packet_, Direction::kToServer, 0, 10);
  EXPECT_EQ(state().proto, AppProto::kFailed);
  flow_ = flow::Flow();
  EXPECT_EQ(client("PING a\n"), 7u);
  parser().tolerant = true;
  driver_->on_gap(flow_, packet_, Direction::kToServer, 7, 10);
  EXPECT_TRUE(driver_->wants(flow_, Direction::kToServer));
  parser().tolerant = false;
  driver_->on_gap(flow_, packet_, Direction::kToServer, 17, 10);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToServer));
  EXPECT_EQ(driver_->counters().tcp[static_cast<size_t>(AppProto::kFtp)].errors_gap, 1u);
}

TEST_F(DriverTest, BytesThatNobodyTakesAreAnErrorAtTheCap) {
  EXPECT_EQ(client("PING a\n"), 7u);
  const std::string much(3'000'000, 'x');
  EXPECT_EQ(client(much), much.size());
  EXPECT_EQ(driver_->counters().tcp[static_cast<size_t>(AppProto::kFtp)].errors_unconsumed, 1u);
  EXPECT_TRUE(state().failed);
}

TEST_F(DriverTest, AnswerAloneTurnsAFlowOnlyWhereFlowsMayBeMetMidway) {
  flow_.key.sport = 4242;
  const std::string text = "\x43 one\n";
  packet_.payload = as_bytes(text);
  packet_.direction = Direction::kToServer;
  driver_->on_datagram(flow_, packet_);
  EXPECT_EQ(state().proto, AppProto::kUnknown);
  driver_->on_flow_end(flow_, packet_);
  EXPECT_FALSE(state().reverse_wanted);
}

TEST_F(DriverTest, DatagramsAreProbedAndTurned) {
  Settings settings;
  settings.set("stream.midstream", "yes");
  start(settings);
  flow_.key.sport = 4242;
  const std::string text = "\x43 one\n";
  packet_.payload = as_bytes(text);
  packet_.direction = Direction::kToServer;
  driver_->on_datagram(flow_, packet_);
  EXPECT_EQ(state().proto, AppProto::kDns);
  EXPECT_TRUE(state().reverse_wanted);
  EXPECT_EQ(parser().log, "<\x43 one;");
}

TEST_F(DriverTest, CollectRemovesWhatIsInspectedAndLogged) {
  EXPECT_EQ(client("PING a\nPING b\nPING c\n"), 21u);
  auto& open = parser().transactions;
  ASSERT_EQ(open.size(), 3u);
  driver_->collect(flow_);
  EXPECT_EQ(open.size(), 3u);
  open[1]->inspected = {true, true};
  driver_->collect(flow_);
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[1]->id, 2u);
  open[0]->inspected = {true, true};
  open[0]->add_event(0);
  driver_->collect(flow_);
  EXPECT_EQ(open.size(), 2u);  // its event is not logged yet
  open[0]->events_logged = 1;
  driver_->collect(flow_);
  EXPECT_EQ(open.size(), 1u);
}

TEST_F(DriverTest, ParserGoesWhenBothSidesHaveEndedAndNothingIsOpen) {
  EXPECT_EQ(client("PING a\n", true), 7u);
  driver_->collect(flow_);
  parser().transactions[0]->inspected = {true, true};
  driver_->collect(flow_);
  ASSERT_NE(state().parser, nullptr);  // the server may still say something
  EXPECT_EQ(server("PONG b\n", true), 7u);
  driver_->collect(flow_);
  ASSERT_NE(state().parser, nullptr);  // what it said is not inspected yet
  parser().transactions[0]->inspected = {true, true};
  driver_->collect(flow_);
  EXPECT_EQ(state().parser, nullptr);
  EXPECT_EQ(state().proto, AppProto::kFtp);
  EXPECT_EQ(state().transactions(), 2u);
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToServer));
  EXPECT_FALSE(driver_->wants(flow_, Direction::kToClient));
  driver_->on_flow_end(flow_, packet_);
}

TEST_F(DriverTest, ParserStaysBehindAReset) {
  const reassembly::TcpConfig config;
  reassembly::SessionMemory memory;
  auto session = std::make_unique<reassembly::TcpSession>(config, memory);
  session->closed_by_rst = true;
  flow_.set_slot(flow::FlowSlot::kStream, std::move(session));
  EXPECT_EQ(client("PING a\n", true), 7u);
  EXPECT_EQ(server("PONG b\n", true), 7u);
  for (const auto& tx : parser().transactions) tx->inspected = {true, true};
  driver_->collect(flow_);
  ASSERT_NE(state().parser, nullptr);
  EXPECT_EQ(client("PING on\n"), 8u);  // the reset was not the other side's
  EXPECT_EQ(parser().log, ">PING a;<PONG b;>PING on;");
  flow_.set_slot(flow::FlowSlot::kStream, nullptr);
}

TEST_F(DriverTest, FlowEndEndsTheParserOnce) {
  EXPECT_EQ(client("PING a\n"), 7u);
  driver_->on_flow_end(flow_, packet_);
  driver_->on_flow_end(flow_, packet_);
  EXPECT_EQ(parser().log, ">PING a;end;");
}

}  // namespace
}  // namespace vong::applayer
