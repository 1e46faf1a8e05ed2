#include "sensor/app/stats_board.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>

#include "app_common/clock.h"
#include "base/json_writer.h"
#include "fmt/format.h"
#include "sensor/app/open_outputs.h"

namespace vong::sensor {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDefaultIntervalS = 8, kLongestIntervalS = 86'400;

// Sizes of what workers share, and maxima: the largest, not the sum. Names with dots.
constexpr std::string_view kLargest[] = {"decoder.max_pkt_size", "http.byterange.memuse", "http.byterange.memcap", "memcap.pressure", "memcap.pressure_max", "file_store.fs_errors"};

std::string dotted(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), kStatsDot, '.');
  return out;
}

// The record itself has these whatever their value.
bool is_alert_count(std::string_view name) { return name.starts_with(fmt::format("detect{}", kStatsDot)); }

void write_engine(JsonWriter& out, uint64_t id, const detect::RuleCounts& rules) {
  out.open_object();
  out.field("id", id);
  out.field("rules_loaded", rules.loaded);
  out.field("rules_failed", rules.failed);
  out.field("rules_skipped", rules.skipped);
  out.close_object();
}

void write_engines(JsonWriter& out, const Plan& plan) {
  detect::RuleCounts own = plan.rule_counts;   // without the tenants'
  for (const auto& [id, rules] : plan.tenant_counts) {
    own.loaded -= rules.loaded;
    own.failed -= rules.failed;
    own.skipped -= rules.skipped;
  }
  out.open_array("engines");
  write_engine(out, 0, own);
  for (const auto& [id, rules] : plan.tenant_counts) write_engine(out, id, rules);
  out.close_array();
}

// Writes the counters of one list, opening and closing objects as names change. Zeros are left out without `zeros`, and objects with
// nothing else with them.
void write_counters(JsonWriter& out, const StatsCounters& counters, bool zeros) {
  std::vector<std::string_view> open;
  for (const StatsCounter& c : counters) {
    if (is_alert_count(c.name) || (c.value == 0 && !zeros)) continue;
    std::vector<std::string_view> path;
    std::string_view rest = c.name;
    for (size_t at = rest.find(kStatsDot); at != rest.npos; at = rest.find(kStatsDot)) {
      path.push_back(rest.substr(0, at));
      rest.remove_prefix(at + 1);
    }
    size_t same = 0;
    while (same < std::min(open.size(), path.size()) && open[same] == path[same]) ++same;
    for (; open.size() > same; open.pop_back()) out.close_object();
    for (; open.size() < path.size(); open.push_back(path[open.size()])) out.open_object(path[open.size()]);
    out.field(rest, c.value);
  }
  for (; !open.empty(); open.pop_back()) out.close_object();
}

}  // namespace

StatsCounters sum_stats(const std::vector<StatsCounters>& all) {
  StatsCounters total;
  for (const StatsCounters& one : all) {
    if (one.empty()) continue;   // that worker has said nothing yet
    if (total.empty()) {
      total = one;
      continue;
    }
    // The same names in the same order mostly; counters that are there only once they have counted make the exception.
    for (size_t i = 0, at = 0; i < one.size(); ++i) {
      size_t k = at;
      while (k < total.size() && total[k].name != one[i].name) ++k;
      if (k == total.size()) {
        total.insert(total.begin() + static_cast<std::ptrdiff_t>(at), one[i]);
        ++at;
        continue;
      }
      at = k + 1;
      const bool largest = std::find(std::begin(kLargest), std::end(kLargest), dotted(one[i].name)) != std::end(kLargest);
      total[k].value = largest ? std::max(total[k].value, one[i].value) : total[k].value + one[i].value;
    }
  }
  const auto value_of = [&](std::string_view name) -> StatsCounter* {
    const auto it = std::find_if(total.begin(), total.end(), [&](const StatsCounter& c) { return dotted(c.name) == name; });
    return it == total.end() ? nullptr : &*it;
  };
  StatsCounter* average = value_of("decoder.avg_pkt_size");
  const StatsCounter *packets = value_of("decoder.pkts"), *bytes = value_of("decoder.bytes");
  if (average != nullptr && packets != nullptr && bytes != nullptr) average->value = packets->value == 0 ? 0 : bytes->value / packets->value;
  return total;
}

std::string stats_json(const StatsCounters& counters, bool zeros) {
  std::string body;
  JsonWriter out(body);
  write_counters(out, counters, zeros);
  return body;
}

StatsBoard::StatsBoard(const Plan& plan, Output& output, size_t workers)
    : plan_(plan),
      output_(output),
      lines_(output),
      interval_(std::chrono::seconds(std::clamp<int64_t>(plan.settings.integer("stats.interval", kDefaultIntervalS), 1, kLongestIntervalS))),
      published_(workers) {
  if (!plan.settings.flag("stats.enabled", true)) return;
  if (plan.eve.enabled && plan.eve.stats) eve_ = &plan.eve;
  for (const auto& further : plan.eve.further) eve_ = eve_ == nullptr && further.stats ? &further : eve_;
  if (eve_ != nullptr) emitter_ = std::make_unique<emit::Emitter>(plan.eve, lines_, std::vector<std::string>());
}

Result<std::unique_ptr<StatsBoard>> StatsBoard::open(const Plan& plan, const std::string& folder, Output& output, size_t workers) {
  auto board = std::unique_ptr<StatsBoard>(new StatsBoard(plan, output, workers));
  if (folder == "-" || !plan.settings.flag("stats.enabled", true)) return board;
  for (const auto& i : plan.settings.children("outputs")) {
    const std::string path = "outputs." + i + ".stats";
    if (!plan.settings.has(path) || !plan.settings.flag(path + ".enabled", true)) continue;
    auto how = outputs::TargetConfig::from(plan.settings, path);
    if (!how) return std::unexpected(how.error());
    const std::string name(plan.settings.text(path + ".filename", "stats.log"));
    auto target = outputs::open_target(*how, output_path(folder, name), plan.offline, app::wall_clock());
    if (!target) return std::unexpected(target.error());
    board->log_ = std::make_unique<Log>(Log{std::move(*target), plan.settings.flag(path + ".totals", true), plan.settings.flag(path + ".threads", false),
                                            plan.settings.flag(path + ".null-values", false)});
    break;
  }
  return board;
}

void StatsBoard::publish(size_t worker, const Worker& of) {
  if (!wanted()) return;
  StatsCounters counters = collect_stats(of, plan_);
  const std::lock_guard lock(mutex_);
  published_[worker] = std::move(counters);
}

void StatsBoard::tick(Timestamp now) {
  if (!wanted() || (now >= last_ && now - last_ < interval_)) return;
  write(now);
}

void StatsBoard::write(Timestamp now) {
  if (!wanted()) return;
  last_ = now;
  std::vector<StatsCounters> all;
  {
    const std::lock_guard lock(mutex_);
    all = published_;
  }
  const StatsCounters total = sum_stats(all);
  if (total.empty()) return;
  if (eve_ != nullptr) write_eve(total, now, uptime_s(now));
  if (log_ != nullptr) write_log(total, all, now, uptime_s(now));
}

uint64_t StatsBoard::uptime_s(Timestamp now) const {
  return start_ == Timestamp{} || now < start_ ? 0 : static_cast<uint64_t>((now - start_).count() / kSecond);
}

std::string StatsBoard::json(Timestamp now) {
  if (!wanted()) return {};
  std::vector<StatsCounters> all;
  {
    const std::lock_guard lock(mutex_);
    all = published_;
  }
  return body(sum_stats(all), true, uptime_s(now));
}

std::string StatsBoard::body(const StatsCounters& total, bool zeros, uint64_t uptime_s) const {
  std::string text;
  JsonWriter out(text);
  out.open_object();
  out.field("uptime", uptime_s);
  write_counters(out, total, zeros);
  out.open_object("detect");
  write_engines(out, plan_);
  for (const StatsCounter& c : total) {
    if (is_alert_count(c.name)) out.field(std::string_view(c.name).substr(c.name.find(kStatsDot) + 1), c.value);
  }
  out.close_object();
  out.close_object();
  return text;
}

void StatsBoard::write_eve(const StatsCounters& total, Timestamp now, uint64_t uptime_s) {
  emitter_->own_record("stats", body(total, eve_->stats_null_values, uptime_s), now);
  output_.write(lines_);
}

void StatsBoard::write_log(const StatsCounters& total, const std::vector<StatsCounters>& all, Timestamp now, uint64_t uptime_s) {
  constexpr std::string_view kRule = "------------------------------------------------------------------------------------\n";
  const std::time_t seconds = to_ns(now) / kSecond;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::string text(kRule);
  text += fmt::format("Date: {}/{}/{:04} -- {:02}:{:02}:{:02} (uptime: {}d, {:02}h {:02}m {:02}s)\n", utc.tm_mon + 1, utc.tm_mday, utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                      utc.tm_sec, uptime_s / 86'400, uptime_s / 3600 % 24, uptime_s / 60 % 60, uptime_s % 60);
  text += kRule;
  text += fmt::format("{:<45} | {:<25} | {:<6}\n", "Counter", "TM Name", "Value");
  text += kRule;
  const auto add = [&](const StatsCounters& counters, const std::string& who) {
    for (const StatsCounter& c : counters) {
      if (c.value != 0 || log_->zeros) text += fmt::format("{:<45} | {:<25} | {:<6}\n", dotted(c.name), who, c.value);
    }
  };
  if (log_->threads) {
    for (size_t i = 0; i < all.size(); ++i) add(all[i], fmt::format("W#{:02}", i + 1));
  }
  if (log_->totals) add(total, "Total");
  const auto lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  log_->target->tick(now);
  if (const uint64_t lost = log_->target->write(text, lines); lost > 0) {
    lost_ += lost;
    spdlog::error("cannot write {}: {}, {} lines of counters lost", log_->target->name(), log_->target->error(), lost);
  }
}

void StatsBoard::reopen() {
  if (log_ != nullptr) log_->target->reopen();
}

}  // namespace vong::sensor
