// The literals of an index, one after the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/equal_at.h"

namespace vong::matcher {

class LiteralStore {
 public:
  struct Literal {
    uint32_t id, begin, length;  // where its bytes stand
    bool nocase;
  };

  // `text`: lower case when `nocase`; copied. Several literals may have one id.
  void add(uint32_t id, Bytes text, bool nocase) {
    literals_.push_back(
        {id, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(text.size()), nocase});
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    ids_ = std::max<size_t>(ids_, size_t{id} + 1);
  }

  [[nodiscard]] size_t size() const { return literals_.size(); }
  [[nodiscard]] size_t ids() const { return ids_; }  // all are below
  [[nodiscard]] const Literal& operator[](uint32_t i) const { return literals_[i]; }
  [[nodiscard]] const uint8_t* text(const Literal& l) const { return bytes_.data() + l.begin; }
  // `at`: as many bytes as it is long.
  [[nodiscard]] bool stands(const Literal& l, const uint8_t* at) const {
    return equal_at(at, text(l), l.length, l.nocase);
  }
  [[nodiscard]] size_t memory_bytes() const {
    return literals_.size() * sizeof(Literal) + bytes_.size();
  }

 private:
  std::vector<Literal> literals_;
  std::vector<uint8_t> bytes_;
  size_t ids_ = 0;
};

}  // namespace vong::matcher
