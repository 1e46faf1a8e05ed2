// vong-exporter: takes events from a spool on disk and sends them to Kafka (or a file), each once,
// until SIGTERM.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <thread>

#include "app_common/clock.h"
#include "app_common/kafka/section.h"
#include "app_common/program.h"
#include "exporters/app/metrics.h"
#include "exporters/send/file_transport.h"
#include "exporters/send/forwarder.h"
#include "exporters/send/kafka_transport.h"
#include "exporters/spool/reader.h"
#include "telemetry/server.h"

namespace {

using namespace vong;

constexpr std::string_view kProgram = "vong-exporter";

struct Settings {
  app::KafkaSection kafka;
  std::string spool;
  std::string file;
  std::string metrics_listen;
  std::chrono::milliseconds drain{10'000};
  bool once = false;
};

Settings read_settings(const app::Config& config, std::string spool, app::Problems& problems) {
  using namespace std::chrono_literals;
  Settings s;
  config.root().report_unknown_keys({"kafka", "file", "metrics", "drain"}, app::Severity::kError,
                                    problems);
  s.kafka = app::read_kafka_section(config["kafka"], {}, problems);
  s.spool = spool.empty() ? s.kafka.spool_dir : std::move(spool);
  s.file = config["file"].text("", problems);
  config["metrics"].report_unknown_keys({"listen"}, app::Severity::kError, problems);
  s.metrics_listen = config["metrics"]["listen"].text("", problems);
  s.drain = std::chrono::duration_cast<std::chrono::milliseconds>(
      config["drain"].duration(s.drain, 0s, 1h, problems));
  const app::Place top =
      config.root() ? config.root().place() : app::Place{std::string(kProgram), 1, 1};
  if (s.spool.empty())
    problems.error(top, "no spool: name its directory with --spool or kafka.spool.dir");
  if (s.kafka.enabled() == !s.file.empty())
    problems.error(top, "name one receiver: kafka.brokers or file");
  if (s.kafka.enabled() && (s.kafka.agency.empty() || s.kafka.sensor.empty())) {
    problems.error(top, "kafka.agency and kafka.sensor have to be named");
  }
  if (!s.metrics_listen.empty()) {
    if (Result<> ok = telemetry::check_listen(s.metrics_listen); !ok)
      problems.error(config["metrics"]["listen"].place(), ok.error().message);
  }
  return s;
}

std::unique_ptr<send::Transport> make_transport(const Settings& s) {
  if (!s.file.empty()) return std::make_unique<send::FileTransport>(s.file);
  return std::make_unique<send::KafkaTransport>(
      send::KafkaTransport::Options{.client = s.kafka.client,
                                    .topic = s.kafka.topic,
                                    .sensor = s.kafka.sensor,
                                    .agency = s.kafka.agency,
                                    .compression = s.kafka.compression,
                                    .transaction_timeout = s.kafka.transaction_timeout,
                                    .status_file = s.spool + "/status.json"});
}

void log_event(send::Severity severity, const std::string& text) {
  switch (severity) {
    case send::Severity::kInfo:
      return spdlog::info("{}", text);
    case send::Severity::kWarning:
      return spdlog::warn("{}", text);
    case send::Severity::kError:
      return spdlog::error("{}", text);
  }
}

using app::wall_clock;

// Steps until a stop, then until the spool is empty or the time for that is over. The exit status.
int forward(send::ForwardLoop& loop, const send::ForwarderOptions& options,
            const Settings& settings, app::Signals& signals) {
  using State = send::ForwardLoop::State;
  const std::atomic<bool> never{false};
  std::optional<Timestamp> give_up_at;
  for (;;) {
    const bool stopping = signals.stop_requested();
    const Timestamp now = wall_clock();
    if (stopping && !give_up_at) give_up_at = now + settings.drain;
    const State state = loop.step(never, wall_clock);
    if (state == State::kRefused && !loop.was_connected()) {
      spdlog::error("refused at the start: {}", loop.last_error());
      return app::kExitFailed;
    }
    const bool drained = state == State::kIdle;
    if (drained && (stopping || settings.once)) return app::kExitDone;
    if (give_up_at && now >= *give_up_at) {
      spdlog::warn("stopped before the spool was empty; what is left is sent at the next start");
      return app::kExitDone;
    }
    std::chrono::milliseconds pause = loop.pause(state);
    if (give_up_at) pause = std::min(pause, options.retry_pause);
    if (pause.count() == 0) continue;
    if (stopping)
      std::this_thread::sleep_for(pause);
    else
      signals.wait(static_cast<int>(pause.count()));
    (void)signals.take_reload();  // nothing to reload: certificates are read with each connection
  }
}

}  // namespace

int main(int argc, char** argv) {
  app::CommonFlags flags;
  std::string spool;
  bool once = false;
  bool list_metrics = false;
  CLI::App cli{"Sends the events of a spool to Kafka or a file, each once."};
  app::add_common_flags(cli, flags);
  cli.add_option("--spool", spool, "the spool's directory (over kafka.spool.dir)")
      ->type_name("DIR");
  cli.add_flag("--once", once, "end when the spool is empty");
  cli.add_flag("--list-metrics", list_metrics, "print the metrics reference (Markdown) and exit");
  if (const auto status = app::parse_command_line(cli, argc, argv, kProgram)) return *status;
  if (list_metrics) {
    fmt::print("{}", telemetry::reference(exporter::metrics_table()));
    return app::kExitDone;
  }
  app::start_log(flags, kProgram);
  app::Signals signals;

  app::Problems problems;
  const app::Config config = app::load_config(flags, problems);
  if (problems.errors() > 0) return *app::finish_check(flags, problems);
  Settings settings = read_settings(config, spool, problems);
  settings.once = once;
  if (const auto status = app::finish_check(flags, problems)) return *status;

  Result<spool::Reader> reader =
      spool::Reader::open(spool::real_file_system(), {.directory = settings.spool});
  if (!reader) {
    spdlog::error("{}", reader.error().message);
    return app::kExitFailed;
  }
  send::ForwarderCounters counters;
  telemetry::Registry registry(exporter::metrics_table());
  exporter::add_metrics(registry, counters, reader->counters());
  std::optional<telemetry::Server> server;
  if (!settings.metrics_listen.empty()) {
    auto started = telemetry::Server::start(settings.metrics_listen, registry, [&counters] {
      const bool ok = counters.connected.value() == 1 || counters.oldest_unsent_ns.value() == 0;
      return telemetry::Health{ok, "records wait and the receiver does not take them"};
    });
    if (!started) {
      spdlog::error("{}", started.error().message);
      return app::kExitFailed;
    }
    server.emplace(std::move(*started));
  }

  send::ForwarderOptions options;
  options.batch_records_max = settings.kafka.transaction_records;
  options.batch_bytes_max = settings.kafka.transaction_bytes;
  options.batch_age_max = settings.kafka.transaction_age;
  const std::unique_ptr<send::Transport> transport = make_transport(settings);
  spdlog::info("forwarding {} to {}", settings.spool, transport->name());
  send::ForwardLoop loop(*reader, *transport, options, counters, log_event);
  const int status = forward(loop, options, settings, signals);
  transport->disconnect();
  spdlog::info("{} records in {} transactions", counters.sent_records.value(),
               counters.transactions.value());
  return status;
}
