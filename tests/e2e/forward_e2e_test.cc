// From a spool to a real topic, each record once: the broker goes away and comes back, forwarder
// and writer are killed at random moments. The proof is the reader's: committed records only, every
// seq from 1 to the last exactly once, and the record that was spooled as that seq.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "exporters/send/forwarder.h"
#include "exporters/send/kafka_transport.h"
#include "exporters/spool/spool_sink.h"
#include "tests/e2e/broker.h"

namespace vong::e2e {
namespace {

namespace fs = std::filesystem;

Timestamp wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// A program of ours in the background, its output in a file.
class Process {
 public:
  Process(std::vector<std::string> arguments, std::string output) : output_(std::move(output)) {
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int fd = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(fd, 1);
      ::dup2(fd, 2);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (pid_ > 0) (void)end(SIGKILL);
  }
  // The exit status; -signal when one ended it.
  int end(int signal) {
    ::kill(pid_, signal);
    return wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  [[nodiscard]] std::string output() const {
    std::ifstream in(output_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  pid_t pid_ = -1;
  std::string output_;
};

class Forward : public testing::Test {
 protected:
  void SetUp() override {
    topic_ = new_topic("forward", 3);
    dir_ = fs::path(testing::TempDir()) / ("forward_e2e_" + topic_ + std::to_string(::getpid()));
    fs::create_directories(dir_);
    spool_ = (dir_ / "spool").string();
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::vector<std::string> exporter(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {VONG_EXPORTER, "--spool",
                                          spool_,        "-v",
                                          "--set",       "kafka.brokers=" + client().brokers,
                                          "--set",       "kafka.topic=" + topic_,
                                          "--set",       "kafka.agency=G01.02",
                                          "--set",       "kafka.sensor=" + sensor_,
                                          "--set",       "kafka.transaction.records=50",
                                          "--set",       "kafka.transaction.age=20ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string log(const std::string& name) { return (dir_ / name).string(); }

  // Sends all that is left and ends.
  void drain() {
    Process process(exporter({"--once"}), log("drain.log"));
    ASSERT_EQ(process.wait(), 0) << process.output();
  }
  // The seq that the writer said is durable last.
  static uint64_t durable_in(const std::string& output) {
    std::istringstream in(output);
    uint64_t last = 0;
    for (std::string line; std::getline(in, line);) {
      if (!in.eof()) last = std::strtoull(line.c_str(), nullptr, 10);
    }
    return last;
  }
  // Every seq from 1 to the last exactly once, each with its own event; at least up to `accepted`.
  void prove(uint64_t accepted) {
    std::map<uint64_t, int> times;
    std::map<int32_t, uint64_t> last_in_partition;
    for (const Read& r : read_all(topic_)) {
      const uint64_t seq = std::strtoull(r.seq.c_str(), nullptr, 10);
      ++times[seq];
      EXPECT_EQ(r.sensor, sensor_);
      EXPECT_EQ(r.agency, "G01.02");
      EXPECT_EQ(r.ruleset, "r1");
      EXPECT_GT(seq, last_in_partition[r.partition]) << "out of order in partition " << r.partition;
      last_in_partition[r.partition] = seq;
      EXPECT_TRUE(!check_values_ || r.value.find("\"seq\":" + r.seq + "}") != std::string::npos)
          << r.seq << " " << r.value;
    }
    ASSERT_FALSE(times.empty());
    EXPECT_GE(times.rbegin()->first, accepted);
    EXPECT_EQ(times.begin()->first, 1u);
    EXPECT_EQ(times.size(), times.rbegin()->first) << "a seq is missing";
    for (const auto& [seq, n] : times) EXPECT_EQ(n, 1) << "seq " << seq;
  }

  std::string topic_;
  std::string sensor_ = "s1";
  fs::path dir_;
  std::string spool_;
  bool check_values_ = true;
};

TEST_F(Forward, EveryEventArrivesOnceWithItsHeaders) {
  Process writer({SPOOL_WRITER, spool_, "3000"}, log("writer.log"));
  ASSERT_EQ(writer.wait(), 0);
  Process forwarder(exporter(), log("exporter.log"));
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(forwarder.end(SIGTERM), 0) << forwarder.output();
  prove(3000);
}

TEST_F(Forward, KilledForwardersSendNothingTwice) {
  std::mt19937 random(11);
  Process writer({SPOOL_WRITER, spool_, "20000", "5"}, log("writer.log"));
  for (int life = 0; life < 15; ++life) {
    Process forwarder(exporter(), log("exporter.log"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 900));
    EXPECT_EQ(forwarder.end(SIGKILL), -SIGKILL) << forwarder.output();
  }
  ASSERT_EQ(writer.wait(), 0);
  drain();
  prove(20000);
}

TEST_F(Forward, KilledWritersLoseNothingAccepted) {
  std::mt19937 random(13);
  uint64_t accepted = 0;
  Process forwarder(exporter(), log("exporter.log"));
  for (int life = 0; life < 20; ++life) {
    const std::string output = log("writer-" + std::to_string(life) + ".log");
    Process writer({SPOOL_WRITER, spool_, "1000000", std::to_string(1 + random() % 50)}, output);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
    EXPECT_EQ(writer.end(SIGKILL), -SIGKILL) << writer.output();
    accepted = std::max(accepted, durable_in(writer.output()));
  }
  EXPECT_GT(accepted, 0u);
  // The last words of a killed writer are read by the next one.
  Process last({SPOOL_WRITER, spool_, "10"}, log("writer-last.log"));
  ASSERT_EQ(last.wait(), 0);
  accepted = std::max(accepted, durable_in(last.output()));
  EXPECT_EQ(forwarder.end(SIGTERM), 0) << forwarder.output();
  drain();
  prove(accepted);
}

TEST_F(Forward, TheBrokerMayGoAwayAndComeBack) {
  Process writer({SPOOL_WRITER, spool_, "30000", "3"}, log("writer.log"));
  Process forwarder(exporter(), log("exporter.log"));
  std::this_thread::sleep_for(1s);
  broker("stop");
  std::this_thread::sleep_for(2s);
  broker("start");
  std::this_thread::sleep_for(3s);
  broker("kill");
  broker("start");
  ASSERT_EQ(writer.wait(), 0);
  EXPECT_EQ(forwarder.end(SIGTERM), 0) << forwarder.output();
  drain();
  prove(30000);
}

TEST_F(Forward, ANewSpoolGoesOnBehindTheOldNumbers) {
  check_values_ = false;  // the second spool's own numbers begin at 1 again
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "100"}, log("writer.log")).wait(), 0);
  drain();
  fs::remove_all(spool_);
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "50"}, log("writer2.log")).wait(), 0);
  drain();
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "50"}, log("writer3.log")).wait(), 0);
  drain();
  prove(200);
}

TEST_F(Forward, ALostCursorSendsNothingTwice) {
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "100"}, log("writer.log")).wait(), 0);
  drain();
  fs::remove(fs::path(spool_) / "cursor");
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "100"}, log("writer2.log")).wait(), 0);
  drain();
  prove(200);
}

TEST_F(Forward, InOneProcessTheThreadDrains) {
  Result<spool::Writer> writer =
      spool::Writer::open(spool::real_file_system(), {.directory = spool_});
  ASSERT_TRUE(writer);
  spool::SpoolSink sink(std::move(*writer));
  Result<spool::Reader> reader =
      spool::Reader::open(spool::real_file_system(),
                          {.directory = spool_, .durable_seq = &sink.writer().durable_seq()});
  ASSERT_TRUE(reader);
  send::KafkaTransport transport(
      {.client = client(), .topic = topic_, .sensor = sensor_, .agency = "G01.02"});
  send::ForwarderCounters counters;
  std::atomic<bool> complete{false}, drained{false};
  std::jthread forwarder([&](const std::stop_token& ended) {
    const std::atomic<bool> never{false};
    send::ForwardLoop loop(*reader, transport, {.batch_age_max = 20ms}, counters, {});
    while (!ended.stop_requested()) {
      const bool all = complete;  // asked before the look: what is found then is everything
      const auto state = loop.step(never, wall_clock);
      if (all && state == send::ForwardLoop::State::kIdle && loop.drained()) drained = true;
      if (state != send::ForwardLoop::State::kWorking) std::this_thread::sleep_for(5ms);
    }
  });
  for (int i = 1; i <= 5000; ++i) {
    const std::string value = "{\"seq\":" + std::to_string(i) + "}";
    const sink::Item item{.key = "k" + std::to_string(i % 9), .value = value, .ruleset = "r1"};
    ASSERT_EQ(sink.accept({&item, 1}, wall_clock()).accepted, 1u);
    if (i % 100 != 0) continue;
    ASSERT_TRUE(sink.flush(wall_clock()));
  }
  ASSERT_TRUE(sink.close(wall_clock()));
  complete = true;
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!drained && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(drained);
  forwarder.request_stop();
  forwarder.join();
  EXPECT_EQ(counters.sent_records.value(), 5000u);
  EXPECT_EQ(counters.oldest_unsent_ns.value(), 0);
  prove(5000);
}

TEST_F(Forward, AMissingTopicIsOneClearLineAndStatusOne) {
  ASSERT_EQ(Process({SPOOL_WRITER, spool_, "10"}, log("writer.log")).wait(), 0);
  topic_ = "no-such-topic";
  Process forwarder(exporter(), log("exporter.log"));
  EXPECT_EQ(forwarder.wait(), 1) << forwarder.output();
  EXPECT_NE(forwarder.output().find("no-such-topic"), std::string::npos) << forwarder.output();
}

}  // namespace
}  // namespace vong::e2e
