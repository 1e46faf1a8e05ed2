// Every hop of the sensor is made to lose something: the loss stands in the ledger under its
// reason, and the books balance.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "sensor/app/forwarding.h"
#include "sensor/app/kafka_output.h"
#include "sensor/app/ledger_keeper.h"
#include "sensor/app/plan.h"
#include "sensor/capture/pcap_file.h"
#include "telemetry/ledger/verify.h"
#include "tests/unit/sensor/app/traffic.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
using ledger::Hop;
using ledger::Reason;
using Values = std::vector<std::pair<std::string, std::string>>;

class LedgerRun {
 public:
  explicit LedgerRun(const Values& values = {},
                     const std::string& rules_text =
                         "alert ip any any -> any any (msg:\"x\"; content:\"evil\"; sid:1;)",
                     const char* checksums = "none") {
    folder_ = fs::temp_directory_path() /
              ("vong_ledger_" + std::to_string(::getpid()) + "_" + std::to_string(counter_++));
    fs::create_directories(folder_);
    Settings settings;
    settings.set("ledger.enabled", "yes");
    settings.set("sensor-name", "s1");
    for (const auto& [key, value] : values) settings.set(key, value);
    detect::LoadReport report;
    auto rules = detect::RuleSet::from_text("test", rules_text, {}, settings, report);
    EXPECT_TRUE(rules.has_value());
    Options options;
    options.checksums = checksums;
    fill_plan(plan, options, std::move(settings), *rules);
    shared = std::make_unique<detect::SharedState>(plan.settings);
    worker = std::make_unique<Worker>(plan, *shared, lines);
    auto file = FileOutput::open((folder_ / "eve.json").string());
    EXPECT_TRUE(file.has_value());
    output.add(std::move(*file));
    auto process = ForwardingProcess::start(plan.settings);
    EXPECT_TRUE(process.has_value());
    forwarding = std::move(*process);
    auto kafka = KafkaOutput::open(plan.settings, "rules", forwarding.get());
    EXPECT_TRUE(kafka.has_value()) << kafka.error().message;
    if (kafka && *kafka != nullptr) output.add(std::move(*kafka));
    auto opened = LedgerKeeper::open(plan.settings, folder_.string(), true);
    EXPECT_TRUE(opened.has_value());
    keeper = std::move(*opened);
  }
  ~LedgerRun() { fs::remove_all(folder_); }

  void frame(const Traffic::Frame& frame, uint32_t cut = 0) {
    ++capture.received;
    RawPacket raw = Traffic::raw(frame, capture.received, static_cast<int64_t>(capture.received) * 1000);
    if (cut != 0) raw.data = raw.data.first(cut);
    worker->process(raw);
    if (capture.received % 50 == 0) note(false);
  }
  void note(bool last) {
    totals.publish(*worker, capture, lines.made(), last);
    WorkerTotals* const all[] = {&totals};
    keeper->begin(worker->first_packet_time());
    if (last)
      keeper->finish(all, output, worker->last_packet_time(), "r");
    else
      keeper->tick(all, output, worker->last_packet_time(), "r");
  }
  // Ends the run, checks its ledger, gives the sums.
  ledger::Summary end() {
    worker->finish();
    output.write(lines);
    (void)output.flush();
    note(true);
    (void)output.close(std::chrono::milliseconds(0));
    ledger::Verifier verifier;
    std::ifstream in(folder_ / "ledger.json");
    for (std::string line; std::getline(in, line);) {
      const auto wrong = verifier.add(line);
      EXPECT_EQ(wrong, std::nullopt) << *wrong << "\n" << line;
    }
    EXPECT_TRUE(verifier.ended());
    EXPECT_EQ(verifier.summary().in[static_cast<size_t>(Hop::kDecode)], capture.received);
    return verifier.summary();
  }
  static uint64_t of(const ledger::Summary& s, Reason r) {
    return s.reasons[static_cast<size_t>(r)];
  }
  [[nodiscard]] fs::path folder() const { return folder_; }

  Plan plan;
  std::unique_ptr<detect::SharedState> shared;
  LineBatch lines;
  std::unique_ptr<Worker> worker;
  capture::CaptureStats capture;
  WorkerTotals totals;
  std::unique_ptr<ForwardingProcess> forwarding;
  Output output;
  std::unique_ptr<LedgerKeeper> keeper;

 private:
  fs::path folder_;
  static inline int counter_ = 0;
};

void send(LedgerRun& run, const std::vector<Traffic::Frame>& frames) {
  for (const auto& f : frames) run.frame(f);
}

void wait_for_forwarder(const LedgerRun& run) {
  for (int i = 0; i < 200 && run.forwarding->page().acknowledged_at_start == ForwardingPage::kNotLooked; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

TEST(LossLedger, WithoutLossEverythingIsInspected) {
  LedgerRun run;
  send(run, Traffic::connection(40000, {"hello", "evil"}));
  const auto s = run.end();
  for (size_t i = 0; i < ledger::kReasons; ++i)
    EXPECT_EQ(s.reasons[i], 0u) << name_of(static_cast<Reason>(i));
  EXPECT_GT(s.in[static_cast<size_t>(Hop::kEmit)], 0u);
}

TEST(LossLedger, AClockThatIsSetBackDoesNotStopTheRecords) {
  Settings settings;
  settings.set("sensor-name", "s1");
  auto keeper = LedgerKeeper::open(settings, "-", false);
  ASSERT_TRUE(keeper.has_value());
  const Timestamp start = timestamp_from_ns(1'700'000'000'000'000'000);
  (*keeper)->begin(start);
  EXPECT_FALSE((*keeper)->due(start + std::chrono::seconds(59)));
  EXPECT_TRUE((*keeper)->due(start + std::chrono::seconds(60)));
  EXPECT_TRUE((*keeper)->due(start - std::chrono::hours(1)));
}

TEST(LossLedger, WhatCardKernelAndRingLoseStandsThere) {
  LedgerRun run;
  send(run, Traffic::connection(40000, {"hello"}));
  run.capture.interface_drops = 7;
  run.capture.kernel_drops = 5;
  run.capture.outgoing_copies = 3;
  run.capture.kernel_seen =
      run.capture.received + 3 + 5 + 2;  // two are in the ring when the run ends
  const auto s = run.end();
  EXPECT_EQ(LedgerRun::of(s, Reason::kInterfaceFull), 7u);
  EXPECT_EQ(LedgerRun::of(s, Reason::kRingFull), 5u);
  EXPECT_EQ(LedgerRun::of(s, Reason::kOutgoingCopy), 3u);
  EXPECT_EQ(LedgerRun::of(s, Reason::kShutdown), 2u);
  EXPECT_EQ(s.in[static_cast<size_t>(Hop::kInterface)], run.capture.received + 3 + 5 + 2 + 7);
}

TEST(LossLedger, BrokenHeadersStopAtDecode) {
  LedgerRun run;
  auto broken = Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "data");
  broken[14] = '\x41';  // an IPv4 header of four bytes
  run.frame(broken);
  run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "data"));
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kInvalidHeader), 1u);
}

TEST(LossLedger, AFullFlowTableIsAMemoryCap) {
  LedgerRun run(Values{{"flow.memcap", "1"}});
  for (uint16_t port = 1; port <= 2000; ++port)
    run.frame(Traffic::udp(Traffic::kClient, port, Traffic::kServer, 2000, "data"));
  const uint64_t refused = run.worker->flows().counters().memcap;
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kMemoryCap), refused);
}

TEST(LossLedger, BytesBehindTheDepthAreOfStreamDepth) {
  LedgerRun run(Values{{"stream.reassembly.depth", "1000"}});
  send(run, Traffic::connection(40000, {std::string(900, 'a'), std::string(200, 'b'),
                                        std::string(200, 'c'), std::string(200, 'd')}));
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kStreamDepth), 3u);
}

TEST(LossLedger, SessionsOverTheirCapAreAMemoryCap) {
  LedgerRun run(Values{{"stream.memcap", "1"}});
  send(run, Traffic::connection(40000, {"hello"}));
  const auto s = run.end();
  EXPECT_GT(LedgerRun::of(s, Reason::kMemoryCap), 0u);
}

TEST(LossLedger, SegmentsOverTheirCapAreAMemoryCap) {
  LedgerRun run(Values{{"stream.reassembly.memcap", "512"}});
  send(run, Traffic::connection(
                40000, {std::string(400, 'a'), std::string(1400, 'b'), std::string(1400, 'c')}));
  EXPECT_GT(LedgerRun::of(run.end(), Reason::kMemoryCap), 0u);
}

TEST(LossLedger, DataOfAnUnknownConnectionHasNoSession) {
  LedgerRun run;
  run.frame(Traffic::tcp(Traffic::kClient, 1, Traffic::kServer, 80, 5, 6, 16, "data"));
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kNoSession), 1u);
}

TEST(LossLedger, CutPacketsAreOfSnapLength) {
  LedgerRun run;
  run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, std::string(500, 'x')),
            100);
  const auto s = run.end();
  EXPECT_EQ(LedgerRun::of(s, Reason::kSnapLength), 1u);
  EXPECT_EQ(LedgerRun::of(s, Reason::kInvalidHeader), 0u);
}

TEST(LossLedger, WithoutRulesNothingIsInspected) {
  LedgerRun run(Values{}, "");
  run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "data"));
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kNoRules), 1u);
}

TEST(LossLedger, APassedFlowIsOfPassRule) {
  LedgerRun run(Values{}, "pass ip any any -> any any (sid:1;)");
  for (int i = 0; i < 3; ++i)
    run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "data"));
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kPassRule), 2u);
}

TEST(LossLedger, TunnelsPacketsAreAddedAtDecode) {
  LedgerRun run;
  const auto inner = Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "data");
  for (int i = 0; i < 4; ++i)
    run.frame(Traffic::ip(4, Traffic::kClient, Traffic::kServer, inner.substr(14)));
  const auto s = run.end();
  EXPECT_EQ(LedgerRun::of(s, Reason::kInner), 4u);
  EXPECT_EQ(s.in[static_cast<size_t>(Hop::kFlow)], 8u);
}

TEST(LossLedger, ABypassedFlowIsOfBypass) {
  LedgerRun run(Values{{"stream.bypass", "yes"}, {"stream.reassembly.depth", "1000"}});
  send(run, Traffic::connection(40000, std::vector<std::string>(8, std::string(1000, 'x')),
                                std::string(1000, 'y')));
  EXPECT_GT(LedgerRun::of(run.end(), Reason::kBypass), 3u);
}

TEST(LossLedger, ASegmentThatItsReceiverThrowsAwayIsOfBadChecksum) {
  LedgerRun run(Values{}, "alert tcp any any -> any any (content:\"evil\"; sid:1;)", "all");
  send(run, Traffic::connection(40000, {"hello"}));  // they are empty there
  const auto s = run.end();
  EXPECT_EQ(LedgerRun::of(s, Reason::kBadChecksum), run.capture.received);
}

TEST(LossLedger, DataFarOutsideTheWindowIsOutOfState) {
  LedgerRun run;
  auto frames = Traffic::connection(40000, {"hello"});
  frames.insert(frames.begin() + 5, Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80,
                                                 0x40000000, 5003, 24, "from nowhere"));
  send(run, frames);
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kOutOfState), 1u);
}

TEST(LossLedger, TooManyHolesInAStreamAreASegmentLimit) {
  LedgerRun run;
  auto frames = Traffic::connection(40000, {"hello"});
  constexpr size_t kWindowAt = 14 + 20 + 14;
  for (auto& f : frames) f[kWindowAt] = f[kWindowAt + 1] = '\xff';
  std::vector<Traffic::Frame> holes;  // every other byte of the window
  for (uint32_t i = 0; i < 6000; ++i)
    holes.push_back(Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80, 1106 + 2 * i, 5003,
                                 24, "x"));
  frames.insert(frames.begin() + 5, holes.begin(), holes.end());
  send(run, frames);
  EXPECT_GT(LedgerRun::of(run.end(), Reason::kSegmentLimit), 0u);
}

TEST(LossLedger, WhatAnExceptionPolicyPassesIsOfPolicy) {
  LedgerRun run(Values{{"stream.midstream", "no"}, {"stream.midstream-policy", "pass-flow"}});
  for (uint32_t i = 0; i < 3; ++i)
    run.frame(Traffic::tcp(Traffic::kClient, 1, Traffic::kServer, 80, 5, 6 + i, 16));
  EXPECT_GT(LedgerRun::of(run.end(), Reason::kPolicy), 0u);
}

// A whole capture through a run; captures of the tree have their checksums.
void send_capture(LedgerRun& run, const char* name) {
  auto source = capture::open_pcap_path((fs::path(VONG_SOURCE_DIR) / "pcaps" / name).string());
  ASSERT_TRUE(source.has_value());
  RawPacket raw;
  while ((*source)->next(raw) == capture::ReadStatus::kPacket) {
    ++run.capture.received;
    run.worker->process(raw);
  }
}

TEST(LossLedger, PayloadOfAnEncryptedSessionIsOfEncrypted) {
  LedgerRun run(Values{{"app-layer.protocols.tls.encryption-handling", "default"}});
  send_capture(run, "tls/ordinary.pcap");
  EXPECT_GT(LedgerRun::of(run.end(), Reason::kEncrypted), 0u);
}

Timestamp at_ms(int64_t ms) { return timestamp_from_ns((1'000'000 + ms) * 1'000'000); }

TEST(LossLedger, WhatIsGivenUpUnderLoadIsOfOverloadAndShed) {
  LedgerRun run(Values{{"overload.payload-depth", "2000"}, {"overload.flow-bytes", "4000"}});
  for (int64_t ms = 0; run.worker->shedder().control().steps_taken() < 3; ms += 100)
    (void)run.worker->note_pressure(1.0, at_ms(ms));
  send(run, Traffic::connection(40000, {"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"},
                                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  send(run, Traffic::connection(40001, std::vector<std::string>(8, std::string(1000, 'x'))));
  const auto s = run.end();
  EXPECT_GT(LedgerRun::of(s, Reason::kOverload), 3u);
  EXPECT_EQ(LedgerRun::of(s, Reason::kShed), 1u);  // the record of the HTTP transaction
}

TEST(LossLedger, TooMuchMatchingWorkIsAMatchLimit) {
  LedgerRun run(Values{{"detect.packet-work", "300"}},
                "alert udp any any -> any any (content:\"a\"; content:\"b\"; distance:0; content:\"c\"; distance:0; within:1; sid:1;)");
  std::string worst;
  for (int i = 0; i < 200; ++i) worst += "ab";
  run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, worst + "xc"));
  run.frame(Traffic::udp(Traffic::kClient, 1000, Traffic::kServer, 2000, "abc"));
  EXPECT_EQ(run.worker->detector().counters().packets_work_limit, 1u);
  EXPECT_EQ(LedgerRun::of(run.end(), Reason::kMatchLimit), 1u);
}

TEST(LossLedger, AFullSpoolShedsByReason) {
  const auto spool =
      fs::temp_directory_path() / ("vong_ledger_spool_" + std::to_string(::getpid()));
  fs::remove_all(spool);
  {
    // Two seconds of packet time: the record of the first goes the events' way and stands in the second.
    LedgerRun run(Values{{"kafka.spool.dir", spool.string()},
                         {"kafka.spool.bytes-max", "70000"},
                         {"ledger.interval", "1"}});
    for (uint16_t port = 1; port <= 2400; ++port) {
      run.frame(Traffic::udp(Traffic::kClient, port, Traffic::kServer, 2000, "evil"));
      run.output.write(run.lines);
      (void)run.output.flush();
    }
    const auto s = run.end();
    EXPECT_GT(LedgerRun::of(s, Reason::kShed) + LedgerRun::of(s, Reason::kFull), 0u);
    EXPECT_GT(s.in[static_cast<size_t>(Hop::kSpool)], 300u);
    EXPECT_GT(LedgerRun::of(s, Reason::kOwn), 0u);
  }
  fs::remove_all(spool);
}

TEST(LossLedger, WhatKafkaDoesNotTakeIsHeldAndComesBackAsBacklog) {
  const auto spool =
      fs::temp_directory_path() / ("vong_ledger_kafka_" + std::to_string(::getpid()));
  fs::remove_all(spool);
  const Values values = {
      {"kafka.spool.dir", spool.string()}, {"kafka.brokers", "127.0.0.1:1"}, {"agency", "A"}};
  uint64_t events = 0;
  {
    LedgerRun run(values);
    for (uint16_t port = 1; port <= 10; ++port)
      run.frame(Traffic::udp(Traffic::kClient, port, Traffic::kServer, 2000, "evil"));
    const auto s = run.end();
    events = s.in[static_cast<size_t>(Hop::kKafka)];
    EXPECT_EQ(events, s.in[static_cast<size_t>(Hop::kEmit)]);
  }
  {
    LedgerRun run(values);
    wait_for_forwarder(run);
    run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "x"));
    const auto s = run.end();
    EXPECT_EQ(LedgerRun::of(s, Reason::kBacklog), events + 1);  // and the first run's record
  }
  fs::remove_all(spool);
}

TEST(LossLedger, WhatTheSpoolDoesNotTakeStandsUnderItsReason) {
  const auto spool =
      fs::temp_directory_path() / ("vong_ledger_refused_" + std::to_string(::getpid()));
  fs::remove_all(spool);
  {
    LedgerRun run(Values{{"kafka.spool.dir", spool.string()}});
    run.lines.line(std::string(2'000'000, 'x'), {"alert", 1, 0});
    run.lines.line("{}", {"alert", 1, 0});
    run.output.write(run.lines);
    run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "evil"));
    const auto s = run.end();
    EXPECT_EQ(LedgerRun::of(s, Reason::kTooLarge), 1u);
    EXPECT_EQ(s.in[static_cast<size_t>(Hop::kSpool)], s.in[static_cast<size_t>(Hop::kEmit)]);
    run.lines.line("{}", {"alert", 1, 0});
    run.output.write(run.lines);  // after the end
    ledger::Totals t;
    run.output.add_to(t);
    EXPECT_EQ(t[Hop::kSpool][Reason::kClosed], 1u);
    EXPECT_EQ(t[Hop::kSpool].balance(), 0);
  }
  fs::remove_all(spool);
}

// The broker cannot be reached: what the forwarder says of it is put into the page that it shares.
TEST(LossLedger, WhatTheBrokerRefusesAndTheDiskDamagedStandsUnderItsReason) {
  const auto spool =
      fs::temp_directory_path() / ("vong_ledger_broker_" + std::to_string(::getpid()));
  fs::remove_all(spool);
  {
    LedgerRun run(Values{{"kafka.spool.dir", spool.string()},
                         {"kafka.brokers", "127.0.0.1:1"},
                         {"agency", "A"}});
    for (uint16_t port = 1; port <= 10; ++port)
      run.frame(Traffic::udp(Traffic::kClient, port, Traffic::kServer, 2000, "evil"));
    auto& page = const_cast<ForwardingPage&>(run.forwarding->page());
    page.out.rejected_records.add(2);
    page.spool.lost_records.add(3);
    const auto s = run.end();
    EXPECT_EQ(LedgerRun::of(s, Reason::kRejected), 2u);
    EXPECT_EQ(LedgerRun::of(s, Reason::kDamaged), 3u);
    EXPECT_GT(s.in[static_cast<size_t>(Hop::kKafka)], 10u);
  }
  fs::remove_all(spool);
}

TEST(LossLedger, AFileThatCannotBeWrittenLosesByDiskError) {
  LedgerRun run;
  auto full = FileOutput::open("/dev/full");
  ASSERT_TRUE(full.has_value());
  Output broken;
  broken.add(std::move(*full));
  run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "evil"));
  const uint64_t made = run.lines.made();
  ASSERT_GT(made, 0u);
  broken.write(run.lines);
  EXPECT_FALSE(broken.flush().has_value());
  ledger::Totals t;
  broken.add_to(t);
  EXPECT_EQ(t[Hop::kFile][Reason::kDiskError], made);
  EXPECT_EQ(t[Hop::kFile].balance(), 0);
}

TEST(LossLedgerFile, RotationKeepsTheChain) {
  LedgerRun run(
      {{"ledger.interval", "1"}, {"ledger.bytes-max", "4000"}, {"ledger.files-max", "100"}});
  for (int i = 0; i < 20'000; ++i)
    run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "x"));
  run.worker->finish();
  run.note(true);
  std::vector<fs::path> files;
  for (const auto& e : fs::directory_iterator(run.folder())) {
    if (e.path().filename().string().starts_with("ledger-")) files.push_back(e.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GT(files.size(), 3u);
  files.push_back(run.folder() / "ledger.json");
  ledger::Verifier verifier;
  for (const auto& path : files) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
      ASSERT_EQ(verifier.add(line), std::nullopt) << path;
  }
  EXPECT_EQ(verifier.summary().first_previous, "");
  EXPECT_TRUE(verifier.ended());
}

TEST(LossLedgerFile, ATornEndIsCutOffAndTheChainGoesOn) {
  LedgerRun run;
  run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "x"));
  run.note(true);
  const auto path = run.folder() / "ledger.json";
  const auto whole = fs::file_size(path);
  std::ofstream(path, std::ios::app) << "{\"timestamp\":\"20";
  ledger::Chain chain;
  std::string note;
  auto again = LedgerFile::open({.path = path.string()}, "s1", chain, note);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(chain.next_number, 1u);
  EXPECT_EQ(fs::file_size(path), whole);
  EXPECT_NE(note.find("16 bytes"), std::string::npos) << note;
}

TEST(LossLedgerFile, AnotherSensorsFileIsPutAside) {
  LedgerRun run;
  run.frame(Traffic::udp(Traffic::kClient, 1, Traffic::kServer, 2000, "x"));
  run.note(true);
  ledger::Chain chain;
  std::string note;
  auto other =
      LedgerFile::open({.path = (run.folder() / "ledger.json").string()}, "s2", chain, note);
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(chain.next_number, 0u);
  EXPECT_EQ(fs::file_size(run.folder() / "ledger.json"), 0u);
  EXPECT_NE(note.find("put aside"), std::string::npos);
}

}  // namespace
}  // namespace vong::sensor
