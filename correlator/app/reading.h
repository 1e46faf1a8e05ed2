// The half of a run from files that looks at records: lines in, facts out. On the caller's thread,
// or on one of its own ahead of the other half, in batches; the facts and their order are the same.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "correlator/app/engine.h"
#include "correlator/ingest/line_reader.h"

namespace vong::correlator {

// What reading gives, in the order of the records.
class FactSink {
 public:
  virtual ~FactSink() = default;
  // A fact in the numbers of `from`. False: no more is wanted.
  virtual bool fact(const ingest::OrderKey& key, std::string_view fact, const Engine& from) = 0;
  virtual void verdict(enrich::AgencyIndex agency, int64_t time_ns) = 0;  // before its fact
  virtual void refused(std::string_view reason, std::string_view file, uint64_t line,
                       std::string_view record) = 0;
};

// Files one after the other: events, then verdicts. "-" is standard input.
class Reading {
 public:
  struct Files {
    std::vector<std::string> events, verdicts;
  };
  // Both outlive it. `stop` is asked now and then, on the reading thread.
  Reading(Engine& engine, FactSink& sink, std::function<bool()> stop)
      : engine_(engine), sink_(sink), stop_(std::move(stop)) {}

  [[nodiscard]] Result<> run(const Files& files);

  [[nodiscard]] int64_t newest_ns() const { return newest_ns_; }  // of all records
  [[nodiscard]] uint64_t too_long() const { return too_long_; }
  [[nodiscard]] bool stopped() const { return stopped_; }  // by `stop`

 private:
  [[nodiscard]] Result<> read(const std::string& file, bool verdicts);
  bool line(const ingest::Line& line, const std::string& file, bool verdicts);

  Engine& engine_;
  FactSink& sink_;
  std::function<bool()> stop_;
  uint64_t position_ = 0, too_long_ = 0;
  int64_t newest_ns_ = INT64_MIN;
  bool stopped_ = false, unwanted_ = false;
};

// Facts on their way from one thread to another. Two threads: one gives (a FactSink), one takes.
class FactQueue : public FactSink {
 public:
  static constexpr size_t kBatchFacts = 1024, kBatchBytes = 256u << 10;
  static constexpr size_t kBatchesMax = 8;  // who reads waits when so many wait

  // --- the reading thread ---
  bool fact(const ingest::OrderKey& key, std::string_view fact, const Engine& from) override;
  void verdict(enrich::AgencyIndex agency, int64_t time_ns) override;
  void refused(std::string_view reason, std::string_view file, uint64_t line,
               std::string_view record) override;
  void end();  // what is left, and no more comes

  // --- the other ---
  // Everything that comes until the end, given to `sink` in order; facts in the numbers of `into`,
  // which has read nothing itself. When the sink wants no more, reading is told so.
  void take_all(Engine& into, FactSink& sink);

 private:
  struct Refused {
    std::string reason, file, record;
    uint64_t line;
  };
  struct Batch {
    struct Item {
      ingest::OrderKey key;
      uint32_t size;
    };
    std::vector<Item> items;
    std::string bytes;  // of the facts, one after the other
    // New ones, in order of their numbers.
    std::vector<std::pair<std::string, uint64_t>> sensors;
    std::vector<std::string> event_types;
    std::vector<std::pair<enrich::AgencyIndex, int64_t>> verdicts;
    std::vector<Refused> refused;
  };
  bool full() const {
    return batch_.items.size() >= kBatchFacts || batch_.bytes.size() >= kBatchBytes ||
           batch_.refused.size() >= kBatchFacts;
  }
  bool hand_over();
  std::optional<Batch> next();

  Batch batch_;
  size_t sensors_ = 0, event_types_ = 0;  // told already
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> batches_;
  bool ended_ = false, unwanted_ = false;
};

}  // namespace vong::correlator
