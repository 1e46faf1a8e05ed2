#include "sensor/app/overload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/strings.h"

namespace vong::sensor {
namespace {

constexpr std::array<std::string_view, kOverloadSteps> kNames = {"payload-depth", "records",
                                                                 "flows"};

// A part: "75%", "0.75".
Result<double> part(const Settings& settings, const std::string& key, double fallback) {
  std::string text(settings.text(key, ""));
  if (text.empty()) return fallback;
  const bool percent = text.back() == '%';
  if (percent) text.pop_back();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (percent) value /= 100;
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 1)
    return fail(key + ": not a part between 0 and 100%");
  return value;
}

Duration milliseconds(const Settings& settings, const std::string& key, Duration fallback) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(fallback).count();
  return std::chrono::milliseconds(std::clamp<int64_t>(settings.integer(key, ms), 1, 3'600'000));
}

}  // namespace

std::string_view name_of(OverloadStep step) { return kNames[static_cast<size_t>(step)]; }

Result<OverloadConfig> OverloadConfig::from(const Settings& settings) {
  OverloadConfig c;
  c.enabled = settings.flag("overload.enabled", true);
  const auto order = settings.children("overload.order");
  if (!order.empty()) c.order.clear();
  for (const std::string& i : order) {
    const std::string_view name = settings.text("overload.order." + i, "");
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at == kNames.end())
      return fail(
          fmt::format("overload.order: \"{}\" is none of payload-depth, records, flows", name));
    const auto step = static_cast<OverloadStep>(at - kNames.begin());
    if (std::find(c.order.begin(), c.order.end(), step) != c.order.end())
      return fail(fmt::format("overload.order: {} stands there twice", name));
    c.order.push_back(step);
  }
  for (const auto& [key, value] :
       {std::pair("overload.high", &c.high), std::pair("overload.low", &c.low),
        std::pair("overload.elephant-share", &c.elephant_share)}) {
    auto read = part(settings, key, *value);
    if (!read) return std::unexpected(read.error());
    *value = *read;
  }
  if (c.low >= c.high) return fail("overload.low has to be below overload.high");
  c.step_up = milliseconds(settings, "overload.step-up", c.step_up);
  c.step_down = milliseconds(settings, "overload.step-down", c.step_down);
  c.lag_max = milliseconds(settings, "overload.lag-max", c.lag_max);
  c.payload_depth_bytes = settings.size_bytes("overload.payload-depth", c.payload_depth_bytes);
  c.flow_bytes = settings.size_bytes("overload.flow-bytes", c.flow_bytes);
  c.keep_priority = static_cast<uint8_t>(
      std::clamp<int64_t>(settings.integer("overload.keep-priority", c.keep_priority), 1, 255));
  return c;
}

OverloadControl::Change OverloadControl::note(double pressure, Timestamp now) {
  Change change{false, taken_, taken_};
  if (!config_.enabled) return change;
  if (pressure < config_.high) above_since_ = {};
  if (pressure > config_.low) below_since_ = {};
  if (pressure >= config_.high) {
    if (above_since_ == Timestamp{}) above_since_ = now;
    if (taken_ < config_.order.size() && now - above_since_ >= config_.step_up) {
      ++taken_;
      above_since_ = now;  // the step gets its time to show
    }
  } else if (pressure <= config_.low) {
    if (below_since_ == Timestamp{}) below_since_ = now;
    if (taken_ > 0 && now - below_since_ >= config_.step_down) {
      --taken_;
      below_since_ = now;
    }
  }
  change.after = taken_;
  change.changed = change.after != change.before;
  return change;
}

std::string OverloadControl::names() const {
  std::string out;
  for (size_t i = 0; i < taken_; ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ",", name_of(config_.order[i]));
  return out.empty() ? "none" : out;
}

void HeavyFlows::note(uint64_t flow, uint32_t bytes, Timestamp now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    heaviest_ = *std::max_element(entries_.begin(), entries_.end(),
                                  [](const Entry& a, const Entry& b) { return a.bytes < b.bytes; });
    last_total_ = total_;
    entries_ = {};
    total_ = 0;
    second_ = now;
  }
  total_ += bytes;
  Entry* smallest = &entries_[0];
  for (Entry& e : entries_) {
    if (e.flow == flow) {
      e.bytes += bytes;
      return;
    }
    if (e.bytes < smallest->bytes) smallest = &e;
  }
  if (smallest->bytes == 0) {
    *smallest = {flow, bytes};
    return;
  }
  const uint64_t take = std::min<uint64_t>(bytes, smallest->bytes);
  for (Entry& e : entries_) e.bytes -= take;
  if (bytes > take) *smallest = {flow, bytes - take};
}

uint64_t HeavyFlows::above(double share) const {
  if (last_total_ == 0 ||
      static_cast<double>(heaviest_.bytes) < share * static_cast<double>(last_total_))
    return 0;
  return heaviest_.flow;
}

LoadShedder::Change LoadShedder::note(double pressure, Timestamp now) {
  Change change{control_.note(pressure, now), 0};
  const OverloadConfig& config = control_.config();
  if (!config.enabled) return change;
  counters_.steps_taken += change.after > change.before;
  counters_.steps_undone += change.after < change.before;
  if (pressure >= config.high) {
    const uint64_t heavy = heavy_.above(config.elephant_share);
    if (heavy != 0 && not_followed_.size() < kFlowsMax && not_followed_.insert(heavy).second) {
      change.elephant = heavy;
      ++counters_.elephants;
      ++counters_.flows_shed;
    }
  }
  if (pressure > config.low) {
    calm_since_ = {};
  } else if (calm_since_ == Timestamp{}) {
    calm_since_ = now;
  } else if (now - calm_since_ >= config.step_down && control_.steps_taken() == 0) {
    not_followed_.clear();
  }
  busy_ = pressure > config.low || control_.steps_taken() > 0 || !not_followed_.empty();
  if (!busy_) heavy_ = {};  // nobody counts until it is busy again: what was heavy then says nothing
  return change;
}

LoadShedder::Verdict LoadShedder::judge_busy(uint64_t flow, uint64_t flow_bytes, bool alerted,
                                             uint32_t packet_bytes, Timestamp now) {
  const OverloadConfig& config = control_.config();
  heavy_.note(flow, packet_bytes, now);
  if (alerted) return Verdict::kFull;
  if (control_.active(OverloadStep::kFlows) && flow_bytes > config.flow_bytes &&
      not_followed_.size() < kFlowsMax) {
    counters_.flows_shed += not_followed_.insert(flow).second;
  }
  if (!not_followed_.empty() && not_followed_.contains(flow)) {
    ++counters_.packets_shed;
    return Verdict::kNotFollowed;
  }
  if (control_.active(OverloadStep::kPayloadDepth) && flow_bytes > config.payload_depth_bytes) {
    ++counters_.packets_limited;
    return Verdict::kHighSeverity;
  }
  return Verdict::kFull;
}

}  // namespace vong::sensor
