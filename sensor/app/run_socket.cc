#include "sensor/app/run_socket.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <optional>

#include "app_common/clock.h"
#include "base/json_writer.h"
#include "sensor/app/command_names.h"
#include "sensor/app/confinement.h"
#include "sensor/app/failed.h"
#include "sensor/app/open_outputs.h"
#include "sensor/app/plan.h"
#include "sensor/app/reload.h"
#include "sensor/app/run_files.h"
#include "sensor/capture/directory_watch.h"
#include "sensor/capture/pcap_file.h"
#include "sensor/detect/tenants.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
using control::Answer;
using control::Arguments;

constexpr auto kNames = std::to_array<std::string_view>(
    {"command-list", "help", "version", "uptime", "running-mode", "capture-mode", "conf-get", "shutdown", "memcap-list", "memcap-show", "memcap-set", "pcap-file",
     "pcap-file-continuous", "pcap-file-number", "pcap-file-list", "pcap-current", "pcap-last-processed", "pcap-interrupt", "ruleset-reload-rules",
     "ruleset-reload-nonblocking", "ruleset-stats"});
constexpr int kTurnMs = 1000;

struct Job {
  std::string file, folder;
  uint32_t tenant = 0;
  bool continuous = false, deletes = false;
};

class CaptureQueue {
 public:
  CaptureQueue(const Options& options, Plan& plan, app::Signals& signals, control::CommandServer& server)
      : options_(options), plan_(plan), signals_(signals), server_(server), start_(app::wall_clock()) {}

  int run() {
    while (!signals_.stop_requested()) {
      server_.serve(signals_.fd(), jobs_.empty() && !reload_ ? kTurnMs : 0, handler());
      if (signals_.wait(0)) break;
      if (signals_.take_reload()) reload_ = true;
      if (reload_) load_rules_again();
      if (jobs_.empty()) continue;
      current_ = std::move(jobs_.front());
      jobs_.pop_front();
      interrupted_ = false;
      read(*current_);
      current_.reset();
    }
    return app::kExitDone;
  }

 private:
  control::Handler handler() {
    return [this](std::string_view command, const Arguments& arguments) { return answer(command, arguments); };
  }
  Answer answer(std::string_view command, const Arguments& arguments);
  Answer add(const Arguments& arguments, bool continuous);
  Answer list() const;
  void read(const Job& job);
  void load_rules_again();

  const Options& options_;
  Plan& plan_;
  app::Signals& signals_;
  control::CommandServer& server_;
  Timestamp start_, last_served_{};
  std::deque<Job> jobs_;
  std::optional<Job> current_;
  int64_t last_processed_ms_ = 0;   // time of the last file's last change
  bool interrupted_ = false, reload_ = false;
};

Answer CaptureQueue::add(const Arguments& arguments, bool continuous) {
  Job job;
  job.file = arguments.text("filename").value_or("");
  job.folder = arguments.text("output-dir").value_or("");
  if (job.file.empty() || job.folder.empty()) return Answer::refused("filename or output-dir is missing");
  std::error_code error;
  if (!fs::exists(job.file, error)) return Answer::refused(fmt::format("{}: there is no such file", job.file));
  if (!fs::is_directory(job.folder, error)) return Answer::refused(fmt::format("{}: there is no such folder", job.folder));
  const int64_t tenant = arguments.number("tenant").value_or(0);
  const detect::Tenants* tenants = plan_.rules->tenants();
  if (tenant < 0 || tenant > UINT32_MAX || (tenant != 0 && (tenants == nullptr || !tenants->find(static_cast<uint32_t>(tenant)))))
    return Answer::refused(fmt::format("there is no tenant {}", tenant));
  job.tenant = static_cast<uint32_t>(tenant);
  job.continuous = continuous || arguments.flag("continuous");
  job.deletes = arguments.flag("delete-when-done");
  if (jobs_.size() >= kMaxQueuedCaptures) return Answer::refused("too many captures wait");
  jobs_.push_back(std::move(job));
  return Answer::text("Successfully added file to list");
}

Answer CaptureQueue::list() const {
  Answer out;
  JsonWriter json(out.json);
  json.open_object();
  json.field("count", static_cast<uint64_t>(jobs_.size()));
  json.open_array("files");
  for (const Job& job : jobs_) json.string(job.file);
  json.close_array();
  json.close_object();
  return out;
}

Answer CaptureQueue::answer(std::string_view command, const Arguments& arguments) {
  if (auto common = common_command(command, arguments, kNames, plan_.settings, app::wall_clock() - start_, signals_)) return *common;
  if (command == "capture-mode") return Answer::text("UNIX_SOCKET");
  if (command == "pcap-file" || command == "pcap-file-continuous") return add(arguments, command == "pcap-file-continuous");
  if (command == "pcap-file-list") return list();
  if (command == "pcap-current") return Answer::text(current_ ? current_->file : "None");
  Answer out;
  if (command == "pcap-file-number") {
    out.json = fmt::format("{}", jobs_.size());
    return out;
  }
  if (command == "pcap-last-processed") {
    out.json = fmt::format("{}", last_processed_ms_);
    return out;
  }
  if (command == "pcap-interrupt") {
    if (!current_) return Answer::refused("no capture is being read");
    interrupted_ = true;
    return Answer::text("Interrupted");
  }
  if (command == "ruleset-reload-rules" || command == "ruleset-reload-nonblocking") {   // between two captures
    reload_ = true;
    return Answer::text("done");
  }
  if (command == "ruleset-stats") {
    JsonWriter json(out.json);
    json.open_array();
    json.open_object();
    json.field("id", 0);
    json.field("rules_loaded", plan_.rule_counts.loaded);
    json.field("rules_failed", plan_.rule_counts.failed);
    json.field("rules_skipped", plan_.rule_counts.skipped);
    json.close_object();
    json.close_array();
    return out;
  }
  return Answer::refused("Unknown command");
}

void CaptureQueue::read(const Job& job) {
  capture::WatchOptions watch;
  watch.continuous = job.continuous;
  watch.delete_when_done = job.deletes;
  auto source = job.continuous || job.deletes ? capture::open_directory_watch(job.file, watch) : capture::open_pcap_path(job.file);
  if (!source) return spdlog::error("{}", source.error().message);
  const auto interrupted = [this] {
    constexpr auto kBetween = std::chrono::milliseconds(50);
    const Timestamp now = app::wall_clock();
    if (now >= last_served_ && now - last_served_ < kBetween) return interrupted_;
    last_served_ = now;
    server_.serve(-1, 0, handler());
    return interrupted_;
  };
  const int status = run_capture(options_, plan_, **source, {.folder = job.folder, .tenant = job.tenant, .interrupted = interrupted}, signals_);
  if (status != app::kExitDone) spdlog::error("{}: read with errors", job.file);
  std::error_code error;
  if (const auto changed = fs::last_write_time(job.file, error); !error) {
    const auto at = std::chrono::file_clock::to_sys(changed).time_since_epoch();
    last_processed_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(at).count();
  }
}

// A set that cannot be used leaves the old one in force.
void CaptureQueue::load_rules_again() {
  reload_ = false;
  app::Problems problems;
  auto load = rule_options(options_, plan_.settings, problems);
  load.previous = plan_.rules;
  detect::LoadReport report;
  auto next = load_rules(load, plan_.settings, report);
  const std::string why = next == nullptr ? "a rule file cannot be read" : reload_refusal(plan_.rule_counts, report.counts, options_.init_errors_fatal);
  if (!why.empty() || problems.errors() > 0) {
    problems.print(stderr);
    return spdlog::error("reload refused, the rules before stay in force: {}", why);
  }
  plan_.rules = std::move(next);
  plan_.rule_counts = report.counts;
  plan_.tenant_counts = report.tenants;
}

}  // namespace

int run_socket(const Options& options, Plan& plan, app::Signals& signals) {
  const std::string folder = log_folder(options, plan);
  if (failed(become_sensor_user(plan.settings, false))) return app::kExitFailed;
  auto server = control::CommandServer::open(command_socket_path(options.unix_socket, plan.settings, folder));
  if (failed(server)) return app::kExitFailed;
  spdlog::info("captures are taken at {}", (*server)->path());
  // Captures and folders are named later, by who may use the socket: files cannot be restricted to some now.
  if (failed(confine_calls(plan.settings))) return app::kExitFailed;
  if (plan.started) plan.started();
  return CaptureQueue(options, plan, signals, **server).run();
}

}  // namespace vong::sensor
