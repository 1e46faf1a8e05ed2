#include "sensor/app/forwarding.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>

#include "app_common/clock.h"
#include "exporters/send/kafka_transport.h"
#include "exporters/spool/reader.h"
#include "sensor/app/confinement.h"

namespace vong::sensor {
namespace {

using namespace std::chrono_literals;
using State = send::ForwardLoop::State;

constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;
constexpr auto kGoodLife = 60s;  // a forwarder that lived so long begins with the first pause again
constexpr auto kStopPatience = 5s;

using app::wall_clock;

// The kafka section: what the client knows goes to it, the rest is ours.
Result<kafka::ClientConfig> client_config(const Settings& settings) {
  kafka::ClientConfig client;
  for (const auto& [path, value] : settings.all()) {
    if (!path.starts_with("kafka.")) continue;
    const std::string_view key = std::string_view(path).substr(6);
    if (key.starts_with("spool.") || key.starts_with("run-as.") || key == "compression" ||
        key == "topic")
      continue;
    if (auto set = kafka::set(client, key, value); !set) return std::unexpected(set.error());
  }
  if (client.client_id.empty()) client.client_id = "vong-sensor";
  if (auto checked = kafka::check(client); !checked) return std::unexpected(checked.error());
  return client;
}

Result<send::KafkaTransport::Options> transport_options(const Settings& settings) {
  auto client = client_config(settings);
  if (!client) return std::unexpected(client.error());
  send::KafkaTransport::Options out;
  out.client = std::move(*client);
  out.sensor = settings.text("sensor-name", "");
  out.agency = settings.text("agency", "");
  out.status_file = fmt::format("{}/status.json", settings.text("kafka.spool.dir", ""));
  out.topic = settings.text("kafka.topic", fmt::format("vong.events.{}", out.agency));
  out.compression = settings.text("kafka.compression", out.compression);
  return out;
}

void tell(send::Severity severity, const std::string& text) {
  switch (severity) {
    case send::Severity::kInfo:
      return spdlog::info("{}", text);
    case send::Severity::kWarning:
      return spdlog::warn("{}", text);
    case send::Severity::kError:
      return spdlog::error("{}", text);
  }
}

// The page's counters go on over restarts of the forwarder: what this one has counted since the
// last time is added.
void add_up(const spool::ReaderCounters& now, spool::ReaderCounters& told,
            spool::ReaderCounters& page) {
  for (Counter spool::ReaderCounters::*cell :
       {&spool::ReaderCounters::lost_records, &spool::ReaderCounters::corrupt_records,
        &spool::ReaderCounters::corrupt_bytes, &spool::ReaderCounters::torn_bytes,
        &spool::ReaderCounters::rewritten_records, &spool::ReaderCounters::deleted_segments,
        &spool::ReaderCounters::delete_failures, &spool::ReaderCounters::damaged_cursors,
        &spool::ReaderCounters::read_failures}) {
    const uint64_t more = (now.*cell).value() - (told.*cell).value();
    (told.*cell).add(more);
    (page.*cell).add(more);
  }
}

// The sensor has let go of its end of the pipe, or waits `pause` for that.
bool wait_for_end(int stop_fd, std::chrono::milliseconds pause) {
  pollfd waiting{stop_fd, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(pause.count())) > 0;
}

// The forwarder's life; its exit status.
int forward(const Settings& settings, ForwardingPage& page, int stop_fd) {
  page.out.connected.set(0);
  const auto options = transport_options(settings);
  if (!options) {
    spdlog::error("{}", options.error().message);
    return 1;
  }
  send::KafkaTransport transport(*options);
  auto reader =
      spool::Reader::open(spool::real_file_system(),
                          {std::string(settings.text("kafka.spool.dir", "")), &page.durable_seq});
  if (!reader) {
    spdlog::error("{}", reader.error().message);
    return 1;
  }
  uint64_t not_looked = ForwardingPage::kNotLooked;   // a forwarder that was started again leaves it
  page.acknowledged_at_start.compare_exchange_strong(not_looked, reader->acknowledged(), std::memory_order_acq_rel);
  if (auto confined = confine_forwarder(settings); !confined) {
    spdlog::error("{}", confined.error().message);
    return 1;
  }
  spool::ReaderCounters told;
  const send::ForwarderOptions pauses;
  send::ForwardLoop loop(*reader, transport, pauses, page.out, tell);
  std::atomic<bool> stop{false};
  std::thread watch([&] {
    while (!wait_for_end(stop_fd, 1h)) {
    }
    stop = true;
  });
  while (!stop) {
    const uint64_t asked = page.asked.load(std::memory_order_acquire);
    const State state = loop.step(stop, wall_clock);
    add_up(reader->counters(), told, page.spool);
    if (state == State::kIdle && loop.drained())
      page.looked.store(asked, std::memory_order_release);
    const auto pause = loop.pause(state);
    if (pause.count() > 0) (void)wait_for_end(stop_fd, pause);
  }
  watch.join();
  transport.disconnect();
  return 0;
}

// A child of the sensor or of the keeper: ends with its parent; how the sensor is told to stop is
// none of its business.
void begin_child(const char* name) {
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &ignore, nullptr);
}

void die_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent) ::_exit(1);  // it is gone already
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);   // the sensor's user must not look into this memory
}

[[noreturn]] void keep(const Settings& settings, ForwardingPage& page, int stop_fd) {
  std::chrono::milliseconds pause = kFirstPause;
  for (;;) {
    const auto born = std::chrono::steady_clock::now();
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      die_with(self);
      const int status = forward(settings, page, stop_fd);
      spdlog::default_logger()->flush();
      ::_exit(status);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (wait_for_end(stop_fd, 0ms)) ::_exit(0);
    page.out.connected.set(0);
    if (std::chrono::steady_clock::now() - born >= kGoodLife) pause = kFirstPause;
    spdlog::error("the forwarder ended ({}); events wait in the spool, it starts again in {} ms",
                  WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                      : fmt::format("status {}", WEXITSTATUS(status)),
                  pause.count());
    if (wait_for_end(stop_fd, pause)) ::_exit(0);
    pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
    page.restarts.add();
  }
}

}  // namespace

Result<> ForwardingProcess::check(const Settings& settings) {
  if (settings.text("kafka.brokers", "").empty()) return {};
  for (const char* key : {"sensor-name", "agency", "kafka.spool.dir"}) {
    if (settings.text(key, "").empty())
      return fail("kafka.brokers needs sensor-name, agency and kafka.spool.dir beside it");
  }
  if (auto client = client_config(settings); !client) return std::unexpected(client.error());
  return {};
}

Result<std::unique_ptr<ForwardingProcess>> ForwardingProcess::start(const Settings& settings) {
  if (settings.text("kafka.brokers", "").empty()) return nullptr;
  if (auto checked = check(settings); !checked) return std::unexpected(checked.error());
  void* memory = ::mmap(nullptr, sizeof(ForwardingPage), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int pipe_fds[2];
  if (memory == MAP_FAILED || ::pipe2(pipe_fds, O_CLOEXEC) != 0)
    return fail(fmt::format("forwarder: {}", std::strerror(errno)));
  auto* page = new (memory) ForwardingPage;
  const pid_t self = ::getpid();
  const pid_t keeper = ::fork();
  if (keeper < 0) return fail(fmt::format("forwarder: {}", std::strerror(errno)));
  if (keeper == 0) {
    ::close(pipe_fds[1]);
    begin_child("vong-forward");
    if (auto became = become_forwarder(settings); !became) {
      spdlog::error("{}", became.error().message);
      ::_exit(1);
    }
    die_with(self);
    keep(settings, *page, pipe_fds[0]);
  }
  ::close(pipe_fds[0]);
  return std::unique_ptr<ForwardingProcess>(new ForwardingProcess(page, pipe_fds[1], keeper));
}

ForwardingProcess::~ForwardingProcess() {
  stop();
  ::munmap(page_, sizeof(ForwardingPage));
}

bool ForwardingProcess::drain(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const uint64_t mine = page_->asked.fetch_add(1, std::memory_order_acq_rel) + 1;
  while (page_->looked.load(std::memory_order_acquire) < mine) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

void ForwardingProcess::stop() {
  if (stop_fd_ < 0) return;
  ::close(stop_fd_);
  stop_fd_ = -1;
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (::waitpid(keeper_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      spdlog::warn("the forwarder does not end; it dies with the sensor");
      return;
    }
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace vong::sensor
