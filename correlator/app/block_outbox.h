// The blocks of facts that go out with the next transaction: one writer a partition of vong.facts,
// the last is the leader's. Single thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "correlator/app/fact_block.h"
#include "kafka/producer.h"

namespace vong::correlator {

class BlockOutbox {
 public:
  // `engine`: names what facts are made of; must outlive it, or the next call. Drops what is there.
  void begin(Engine& engine, uint32_t shares) {
    blocks_.clear();
    bytes_ = 0;
    shares_ = shares;
    writers_.assign(shares + 1, FactBlockWriter(engine));
  }
  [[nodiscard]] uint32_t shares() const { return shares_; }

  void add_fact(uint32_t share, std::string_view source, const ingest::OrderKey& key,
                std::string_view fact) {
    writers_[share].add_fact(source, 0, key, fact);
    finish_full(share);
  }
  void add_raised(std::string_view source, uint32_t epoch, const Raised& raised, const Engine& of) {
    writers_[shares_].add_raised(source, epoch, raised, of);
    finish_full(shares_);
  }
  void add_status(std::string_view source, std::string_view json) {
    writers_[shares_].add_status(source, json);
    finish_full(shares_);
  }
  void add_rules(uint32_t share, bool begins, std::string_view json) {
    writers_[share].add_rules(begins, json);
    finish_full(share);
  }
  void add_mark(uint32_t share, std::string_view source, const SourceMark& mark) {
    writers_[share].add_mark(source, mark);
  }

  [[nodiscard]] size_t bytes() const { return bytes_; }
  // For who writes them elsewhere, while the next are gathered here: partition and block.
  using Blocks = std::vector<std::pair<uint32_t, std::string>>;
  [[nodiscard]] Blocks take() {
    for (uint32_t share = 0; share < writers_.size(); ++share) finish(share);
    bytes_ = 0;
    return std::exchange(blocks_, {});
  }
  // Into the transaction that is open.
  [[nodiscard]] static kafka::KafkaResult<> write(const Blocks& blocks, kafka::Producer& producer,
                                                  const std::string& topic,
                                                  const std::function<bool()>& keep_on) {
    for (const auto& [share, block] : blocks) {
      for (;;) {
        auto ok = producer.send({topic, {}, block, {}, static_cast<int32_t>(share), 0});
        if (ok) break;
        if (ok.error().answer != kafka::Answer::kRetry || !keep_on()) return ok;
      }
    }
    return {};
  }
  // Nothing of what was not taken.
  void clear(Engine& engine) { begin(engine, shares_); }

 private:
  void finish_full(uint32_t share) {
    if (writers_[share].bytes() >= FactBlockWriter::kBlockBytes) finish(share);
  }
  void finish(uint32_t share) {
    if (writers_[share].empty()) return;
    blocks_.emplace_back(share, writers_[share].take());
    bytes_ += blocks_.back().second.size();
  }

  uint32_t shares_ = 0;
  std::vector<FactBlockWriter> writers_;
  Blocks blocks_;
  size_t bytes_ = 0;
};

}  // namespace vong::correlator
