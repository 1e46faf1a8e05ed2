#include "correlator/app/in_force_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "correlator/app/fact.h"
#include "correlator/app/live.h"
#include "correlator/app/replay.h"
#include "correlator/app/topics.h"
#include "events/eve_decoder.h"
#include "rules/sigma/loader.h"

namespace vong::correlator {
namespace {

constexpr const char* kPieceKey = "/rules/";

std::string head_of(uint64_t print) { return fmt::format("{:016x}\n", print); }

}  // namespace

uint64_t InForceLog::print_of(std::string_view text) { return stable_print(text); }

kafka::KafkaResult<> InForceLog::read(const kafka::Consumer& consumer,
                                      std::chrono::milliseconds patience,
                                      const std::function<bool()>& keep_on) {
  if (known_) return {};
  rules_ = {};
  pieces_.clear();
  const kafka::TopicPartition name{state_topic(options_), 0};
  const auto count = consumer.partition_count(name.topic, patience);
  there_is_topic_ = count.has_value();
  if (!count) {
    if (count.error().code != kafka::code::kUnknownTopic &&
        count.error().code != kafka::code::kUnknownTopicLocal)
      return std::unexpected(count.error());
    spdlog::warn(
        "there is no topic {}: a restart does not know which rules were in force before, and "
        "closes "
        "nothing of those that are gone",
        name.topic);
    known_ = true;
    return {};
  }
  const auto bounds = consumer.bounds(std::span(&name, 1), patience);
  if (!bounds) return std::unexpected(bounds.error());
  const kafka::TopicOffset to{name.topic, 0, bounds->front().end, {}};
  const std::string piece_key = key_ + kPieceKey;
  const auto take_record = [&](const kafka::Record& r) {
    if (r.key() == key_) {
      if (auto read = RulesInForce::parse(r.value())) rules_ = std::move(*read);
    } else if (r.key().starts_with(piece_key)) {
      const auto number = events::unsigned_of(r.key().substr(piece_key.size()));
      if (number)
        take_piece(static_cast<uint32_t>(std::min<uint64_t>(*number, UINT32_MAX)), r.value());
    }
  };
  auto done = replay_partitions(options_.kafka, options_.group + "-replay", std::span(&to, 1),
                                take_record, keep_on);
  known_ = done.has_value();
  return done;
}

// A piece begins with the print of the text that it is of: pieces of longer texts may be left.
void InForceLog::take_piece(uint32_t number, std::string_view value) {
  if (number < kTextBytesMax / kPieceBytes + 1) pieces_[number] = std::string(value);
}

std::string InForceLog::text() const {
  const std::string head = head_of(rules_.text_print);
  std::string text;
  for (uint32_t i = 0; i < rules_.text_pieces; ++i) {
    const auto it = pieces_.find(i);
    if (it == pieces_.end() || !it->second.starts_with(head)) return {};
    text.append(it->second, head.size());
  }
  return print_of(text) == rules_.text_print ? text : std::string();
}

bool InForceLog::is_of(const sigma::RuleSet& rules) const {
  EngineSettings settings = Live::settings(options_);
  if (options_.facts_partitions > 0) settings.share.of = 1;  // whichever: it has prints of its own
  return rules_.is(Engine::compile(rules, settings)->rules.prints);
}

std::optional<sigma::RuleSet> InForceLog::others_than(const sigma::RuleSet& now) const {
  if (rules_.since.empty() || is_of(now)) return std::nullopt;
  sigma::Loader loader(options_.placeholders);
  std::string text = this->text();
  loader.add_text("the rules in force", text);
  sigma::RuleSet before = loader.finish();
  before.text = std::move(text);
  if (!is_of(before)) {
    spdlog::warn(
        "other rules than before, which cannot be loaded again: rules that stay keep their state, "
        "but what those that are gone had open is not told as closed");
    return std::nullopt;
  }
  spdlog::info("other rules than before: they are changed once the state is rebuilt");
  return before;
}

void InForceLog::write(std::string_view text, Outbox& outbox) {
  if (!there_is_topic_) return;
  write_text(text, outbox);
  outbox.add(state_topic(options_), key_, rules_.json());
}

void InForceLog::keep(std::string_view text, Outbox& outbox) {
  if (text.size() <= kTextBytesMax && print_of(text) != rules_.text_print) write(text, outbox);
}

bool InForceLog::write_news(const RulesInForce& now, std::string_view text, Outbox& outbox) {
  RulesInForce before = std::exchange(rules_, now);
  rules_.text_print = before.text_print;
  rules_.text_pieces = before.text_pieces;
  const size_t records = outbox.size();
  if (rules_.json() != before.json())
    write(text, outbox);
  else
    keep(text, outbox);
  return outbox.size() > records;
}

void InForceLog::write_text(std::string_view text, Outbox& outbox) {
  if (text.size() > kTextBytesMax) {
    spdlog::warn(
        "the rules are too long to be kept beside what is in force: a start with others "
        "will not close what they had open");
    rules_.text_pieces = 0;
    rules_.text_print = 0;
    return;
  }
  const uint64_t print = print_of(text);
  if (print == rules_.text_print && rules_.text_pieces > 0) return;
  rules_.text_print = print;
  rules_.text_pieces = 0;
  pieces_.clear();
  for (size_t at = 0; at < text.size(); at += kPieceBytes) {
    const std::string piece = head_of(print).append(text.substr(at, kPieceBytes));
    const uint32_t number = rules_.text_pieces++;
    outbox.add(state_topic(options_), key_ + kPieceKey + std::to_string(number), piece);
    pieces_[number] = piece;
  }
}

}  // namespace vong::correlator
