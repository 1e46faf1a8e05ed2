#include "rules/network/threshold.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>

#include "rules/network/logical_lines.h"
#include "rules/network/nearest_name.h"
#include "rules/network/read_file.h"
#include "rules/network/text.h"

namespace vong::rules {
namespace {

template <typename T>
using Names = std::span<const std::pair<std::string_view, T>>;

constexpr std::array<std::pair<std::string_view, ThresholdType>, 4> kTypes = {
    {{"limit", ThresholdType::kLimit},
     {"threshold", ThresholdType::kThreshold},
     {"both", ThresholdType::kBoth},
     {"backoff", ThresholdType::kBackoff}}};
constexpr std::array<std::pair<std::string_view, Track>, 5> kTracks = {
    {{"by_src", Track::kBySrc},
     {"by_dst", Track::kByDst},
     {"by_both", Track::kByBoth},
     {"by_rule", Track::kByRule},
     {"by_flow", Track::kByFlow}}};
constexpr std::array<std::pair<std::string_view, Track>, 3> kSuppressTracks = {
    {{"by_src", Track::kBySrc}, {"by_dst", Track::kByDst}, {"by_either", Track::kByEither}}};
constexpr std::array<std::pair<std::string_view, NewAction>, 6> kNewActions = {
    {{"alert", NewAction::kAlert},
     {"drop", NewAction::kDrop},
     {"pass", NewAction::kPass},
     {"log", NewAction::kAlert},
     {"sdrop", NewAction::kDrop},
     {"reject", NewAction::kReject}}};

template <typename T>
Parsed<T> by_name(Names<T> names, std::string_view what, std::string_view word) {
  std::vector<std::string_view> known;
  for (const auto& [name, value] : names) {
    if (equal_nocase(name, word)) return value;
    known.push_back(name);
  }
  return value_error(word,
                     fmt::format("unknown {} {}{}", what, shown(word), suggestion(word, known)));
}

// "key value, key value": every key is taken once, what is left at the end was not expected.
class Fields {
 public:
  static Parsed<Fields> read(std::string_view value) {
    const auto parts = split_parts(value);
    if (!parts) return std::unexpected(parts.error());
    Fields fields;
    fields.whole_ = value;
    for (const std::string_view part : *parts) {
      const KeyValue field = split_key(part);
      if (field.key.empty()) return value_error(part, "'key value' expected between the commas");
      if (fields.find(field.key)) {
        return value_error(field.key, fmt::format("'{}' is given twice", field.key));
      }
      fields.fields_.push_back(field);
    }
    return fields;
  }

  [[nodiscard]] const KeyValue* find(std::string_view key) const {
    for (const KeyValue& field : fields_) {
      if (equal_nocase(field.key, key)) return &field;
    }
    return nullptr;
  }

  // The first key that is none of `known`.
  [[nodiscard]] std::optional<ValueError> unknown(std::span<const std::string_view> known) const {
    for (const KeyValue& field : fields_) {
      bool found = false;
      for (const std::string_view name : known) found = found || equal_nocase(name, field.key);
      if (found) continue;
      return ValueError{field.key, fmt::format("unknown part {}{}", shown(field.key),
                                               suggestion(field.key, known))};
    }
    return {};
  }

  Parsed<uint32_t> number(std::string_view key, uint32_t min) const {
    const KeyValue* field = find(key);
    if (field == nullptr) return missing(key);
    const auto value = parse_unsigned(field->value, std::numeric_limits<uint32_t>::max());
    if (!value) return std::unexpected(value.error());
    if (*value < min) {
      return value_error(field->value, fmt::format("'{}' must be at least {}", key, min));
    }
    return static_cast<uint32_t>(*value);
  }

  template <typename T>
  Parsed<T> name(std::string_view key, Names<T> names) const {
    const KeyValue* field = find(key);
    if (field == nullptr) return missing(key);
    return by_name<T>(names, key, field->value);
  }

 private:
  [[nodiscard]] std::unexpected<ValueError> missing(std::string_view key) const {
    return value_error(whole_, fmt::format("'{}' expected", key));
  }

  std::string_view whole_;
  std::vector<KeyValue> fields_;
};

// Stores a parsed value, or its error when there was none before.
class Collector {
 public:
  template <typename T>
  void take(Parsed<T> parsed, T& into) {
    if (parsed) {
      into = std::move(*parsed);
    } else if (!error_) {
      error_ = std::move(parsed.error());
    }
  }
  void fail(std::optional<ValueError> error) {
    if (error && !error_) error_ = std::move(error);
  }
  [[nodiscard]] std::optional<ValueError>& error() { return error_; }

 private:
  std::optional<ValueError> error_;
};

void read_counts(const Fields& fields, Threshold& out, Collector& collector) {
  collector.take(fields.name<Track>("track", kTracks), out.track);
  collector.take(fields.number("count", 1), out.count);
  if (out.type == ThresholdType::kBackoff) {
    collector.take(fields.number("multiplier", 2), out.multiplier);
  } else {
    collector.take(fields.number("seconds", 1), out.seconds);
  }
}

void check_backoff(const Fields& fields, const Threshold& threshold, Collector& collector) {
  if (threshold.type != ThresholdType::kBackoff) return;
  if (threshold.track == Track::kByFlow) return;
  if (const KeyValue* track = fields.find("track")) {
    collector.fail(ValueError{track->value, "type backoff can only track by_flow"});
  }
}

Parsed<Threshold> finish(Threshold threshold, Collector& collector) {
  if (collector.error()) return std::unexpected(std::move(*collector.error()));
  return threshold;
}

void read_threshold(const Fields& fields, Threshold& out, Collector& collector) {
  collector.take(fields.name<ThresholdType>("type", kTypes), out.type);
  read_counts(fields, out, collector);
  check_backoff(fields, out, collector);
}

Parsed<ThresholdEntry> read_suppress(const Fields& fields, ThresholdEntry entry,
                                     Collector& collector, ListCache& lists) {
  constexpr std::array<std::string_view, 4> kKeys = {"gen_id", "sig_id", "track", "ip"};
  collector.fail(fields.unknown(kKeys));
  if (fields.find("track") != nullptr || fields.find("ip") != nullptr) {
    collector.take(fields.name<Track>("track", kSuppressTracks), entry.suppress_track);
    if (const KeyValue* ip = fields.find("ip")) {
      collector.take(lists.addresses(ip->value), entry.suppressed);
    } else {
      collector.fail(ValueError{fields.find("track")->key, "'ip' expected besides 'track'"});
    }
  }
  if (collector.error()) return std::unexpected(std::move(*collector.error()));
  return entry;
}

class EntryReader {
 public:
  explicit EntryReader(ListCache& lists) : lists_(lists) {}

  Parsed<ThresholdEntry> read(std::string_view line) {
    const KeyValue command = split_key(line);
    constexpr std::array<std::string_view, 4> kCommands = {"suppress", "threshold", "event_filter",
                                                           "rate_filter"};
    const auto is = [&](std::string_view name) { return equal_nocase(command.key, name); };
    const bool is_threshold = is("threshold") || is("event_filter");
    if (!is("suppress") && !is_threshold && !is("rate_filter")) {
      return value_error(command.key, fmt::format("unknown command {}{}", shown(command.key),
                                                  suggestion(command.key, kCommands)));
    }
    const auto fields = Fields::read(command.value);
    if (!fields) return std::unexpected(fields.error());
    ThresholdEntry entry;
    Collector collector;
    ids(*fields, entry, collector);
    if (is("suppress")) return read_suppress(*fields, entry, collector, lists_);
    if (is_threshold) {
      threshold(*fields, entry, collector);
    } else {
      rate_filter(*fields, entry, collector);
    }
    if (collector.error()) return std::unexpected(std::move(*collector.error()));
    return entry;
  }

 private:
  static void ids(const Fields& fields, ThresholdEntry& entry, Collector& collector) {
    collector.take(fields.number("gen_id", 0), entry.gid);
    collector.take(fields.number("sig_id", 0), entry.sid);
    if (entry.gid == 0 && entry.sid != 0 && fields.find("gen_id") != nullptr) {
      collector.fail(ValueError{fields.find("sig_id")->value,
                                "gen_id 0 means every rule: sig_id must be 0 too"});
    }
  }

  static void threshold(const Fields& fields, ThresholdEntry& entry, Collector& collector) {
    constexpr std::array<std::string_view, 7> kKeys = {"gen_id", "sig_id",  "type",      "track",
                                                       "count",  "seconds", "multiplier"};
    collector.fail(fields.unknown(kKeys));
    entry.kind = ThresholdEntry::Kind::kThreshold;
    read_threshold(fields, entry.threshold, collector);
  }

  static void rate_filter(const Fields& fields, ThresholdEntry& entry, Collector& collector) {
    constexpr std::array<std::string_view, 7> kKeys = {"gen_id",  "sig_id",     "track",  "count",
                                                       "seconds", "new_action", "timeout"};
    collector.fail(fields.unknown(kKeys));
    entry.kind = ThresholdEntry::Kind::kRateFilter;
    entry.threshold.type = ThresholdType::kThreshold;
    read_counts(fields, entry.threshold, collector);
    collector.take(fields.name<NewAction>("new_action", kNewActions), entry.new_action);
    collector.take(fields.number("timeout", 0), entry.timeout_s);
  }

  ListCache& lists_;
};

}  // namespace

Parsed<Threshold> parse_threshold(std::string_view value) {
  const auto fields = Fields::read(value);
  if (!fields) return std::unexpected(fields.error());
  constexpr std::array<std::string_view, 5> kKeys = {"type", "track", "count", "seconds",
                                                     "multiplier"};
  Threshold threshold;
  Collector collector;
  collector.fail(fields->unknown(kKeys));
  read_threshold(*fields, threshold, collector);
  return finish(threshold, collector);
}

Parsed<Threshold> parse_detection_filter(std::string_view value) {
  const auto fields = Fields::read(value);
  if (!fields) return std::unexpected(fields.error());
  constexpr std::array<std::string_view, 3> kKeys = {"track", "count", "seconds"};
  Threshold threshold;
  threshold.type = ThresholdType::kThreshold;
  Collector collector;
  collector.fail(fields->unknown(kKeys));
  read_counts(*fields, threshold, collector);
  return finish(threshold, collector);
}

ThresholdFile parse_threshold_file(std::string name, const std::string& text, ListCache& lists) {
  ThresholdFile file{{}, Diagnostics(std::move(name))};
  JoinedLines joined;
  LogicalLineReader lines(text, joined);
  EntryReader reader(lists);
  while (const auto line = lines.next()) {
    auto entry = reader.read(line->text);
    if (entry) {
      entry->pos = line->pos;
      file.entries.push_back(std::move(*entry));
    } else {
      file.diagnostics.error(line->pos_of(entry.error().at), std::move(entry.error().message));
    }
  }
  return file;
}

Result<ThresholdFile> load_threshold_file(const std::string& path, ListCache& lists) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return parse_threshold_file(path, *text, lists);
}

}  // namespace vong::rules
