#include "sensor/app/live_ops.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "app_common/clock.h"
#include "base/json_writer.h"
#include "sensor/app/kafka_output.h"

namespace vong::sensor {
namespace {

using app::wall_clock;

}  // namespace

LiveOps::LiveOps(const Options& options, const Plan& plan, RulesInForce& rules, std::string folder, Output& output)
    : options_(options), plan_(plan), rules_(rules), folder_(std::move(folder)), output_(output), start_(wall_clock()), rules_version_(rules.version()) {}

Result<> LiveOps::open_canary() {
  auto config = CanaryConfig::from(plan_.settings);
  if (!config) return std::unexpected(config.error());
  if (!config->enabled) return {};
  if (!config->interface.empty()) {
    auto sender = capture::FrameSender::open(config->interface);
    if (!sender) return std::unexpected(sender.error());
    sender_.emplace(std::move(*sender));
  }
  canary_.emplace(std::move(*config));
  return {};
}

Result<> LiveOps::open(const KafkaOutput* kafka) {
  kafka_ = kafka;
  own_ = std::make_unique<OwnRecords>(plan_.settings, folder_, output_);
  reloader_ = std::make_unique<Reloader>(options_, plan_, rules_, own_.get());
  board_.emplace(plan_.settings, folder_);
  auto keeper = LedgerKeeper::open(plan_.settings, folder_, false);
  if (!keeper) return std::unexpected(keeper.error());
  keeper_ = std::move(*keeper);
  return {};
}

void LiveOps::add_metrics(telemetry::Registry& registry) const {
  if (keeper_) add_ledger_metrics(registry, *keeper_);
  add_reload_metrics(registry, *reloader_, rules_);
  if (!canary_) return;
  for (const auto& [outcome, cell] : {std::pair("sent", &CanaryCounters::sent),
                                      {"seen", &CanaryCounters::seen},
                                      {"lost", &CanaryCounters::lost},
                                      {"forged", &CanaryCounters::forged}}) {
    registry.add("vong_sensor_canaries_total", {{"outcome", outcome}},
                 [this, cell = cell] { return static_cast<double>(canary_->counters().*cell); });
  }
}

void LiveOps::tick_canary(Timestamp now) {
  for (const Canary::Seen& seen : canary_->take_seen())
    own_->write(now, "canary", Canary::fields(seen));
  for (const uint64_t number : canary_->take_lost(now)) {
    spdlog::error("life signal {} has not come back: the way from the tap to the rules is broken",
                  number);
    own_->write(now, "canary_lost", fmt::format("\"number\":{}", number));
  }
  auto frame = canary_->make(now);
  if (!frame) return;
  if (!sender_) {
    if (!workers_.empty()) workers_.front().box->put(std::move(*frame));
  } else if (auto sent = sender_->send(*frame); !sent) {
    spdlog::error("life signal: {}", sent.error().message);
  }
}

void LiveOps::tick_status(Timestamp now) {
  if (!board_->due(now)) return;
  StatusInput in;
  in.now = now;
  in.start = start_;
  const auto rules = rules_.get();
  in.rules = &rules;
  in.reloads_done = reloader_->counters().done.value();
  in.reloads_refused = reloader_->counters().refused.value();
  const auto elapsed = static_cast<double>(
      (now - (status_before_ == Timestamp{} ? start_ : status_before_)).count());
  status_before_ = now;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const int64_t cpu = workers_[i].cpu_ns->load(std::memory_order_relaxed);
    const WorkerSnapshot snapshot = workers_[i].totals->snapshot();
    in.workers.push_back({workers_[i].interface,
                          elapsed > 0 ? static_cast<double>(cpu - cpu_before_[i]) / elapsed : 0,
                          snapshot.capture});
    cpu_before_[i] = cpu;
    if (snapshot.overload != "none") in.overload_step = snapshot.overload;
  }
  in.totals = gather(totals_, output_);
  if (kafka_ != nullptr) {
    in.spool_bytes = static_cast<uint64_t>(kafka_->sink().writer().counters().bytes.value());
    in.spool_bytes_max = plan_.settings.size_bytes("kafka.spool.bytes-max", spool::kDefaultSpoolBytes);
    if (const send::ForwarderCounters* out = kafka_->sent(); out != nullptr) {
      in.forwarding = {static_cast<double>(out->oldest_unsent_ns.value()) / 1e9,
                       out->connected.value() == 1};
    }
  }
  in.clock = clock_state();
  in.memory = process_memory();
  board_->write(in);
}

// Once a second: for that long after a reload events still go out under the old hash.
void LiveOps::pass_ruleset_on() {
  const uint64_t version = rules_.version();
  if (version == rules_version_) return;
  rules_version_ = version;
  output_.set_ruleset(rules_.get().rules->hash());
}

void LiveOps::tick(Timestamp now) {
  reloader_->tick(now);
  pass_ruleset_on();
  if (canary_) tick_canary(now);
  if (keeper_) keeper_->tick(totals_, output_, now, rules_.get().rules->hash());
  tick_status(now);
}

void LiveOps::finish(Timestamp now) {
  reloader_->wait();
  pass_ruleset_on();
  if (canary_) {
    for (const Canary::Seen& seen : canary_->take_seen())
      own_->write(now, "canary", Canary::fields(seen));
  }
  if (keeper_) keeper_->finish(totals_, output_, now, rules_.get().rules->hash());
}

void report_overload(OwnRecords& own, const LoadShedder& shedder, const LoadShedder::Change& change,
                     const std::string& interface, double pressure, Timestamp now) {
  if (!change.changed && change.elephant == 0) return;
  std::string text;
  JsonWriter out(text);
  out.field("interface", interface);
  out.field("pressure_percent", static_cast<int64_t>(pressure * 100));
  if (change.elephant != 0) {
    out.field("flow_id", change.elephant);
    own.write(now, "elephant", text);
    spdlog::warn("{}: flow {} takes more than its share of a worker: not followed", interface,
                 change.elephant);
  }
  if (!change.changed) return;
  out.field("steps_before", change.before);
  out.field("steps", change.after);
  out.field("active", shedder.control().names());
  own.write(now, "overload", text);
  spdlog::warn("{}: overload, {} of {} steps: {}", interface, change.after,
               shedder.control().config().order.size(), shedder.control().names());
}

}  // namespace vong::sensor
