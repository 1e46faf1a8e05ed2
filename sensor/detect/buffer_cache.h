// Buffers of the transaction in view, with their transforms, computed at most once while it is looked at.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sensor/detect/buffer_catalog.h"
#include "sensor/detect/runtime.h"

namespace vong::detect {

class BufferCache {
 public:
  void resize(size_t uses) { slots_.resize(uses * kDirections); }
  // Another transaction, or the same after its parser ran: nothing computed before is valid.
  void start(const applayer::Transaction& tx, AppProto proto) {
    tx_ = &tx;
    proto_ = proto;
    ++stamp_;
  }
  // The `i`th instance. The view lives until the next start().
  [[nodiscard]] const applayer::BufferView& get(const BufferUse& use, Direction d, uint32_t i, DetectCounters& counters);

 private:
  struct Entry {
    uint64_t stamp = 0;
    applayer::BufferView view;
    std::string scratch, transformed, spare;
  };
  struct Slot {
    Entry first;
    std::vector<std::unique_ptr<Entry>> more;
  };
  void fill(Entry& e, const BufferUse& use, Direction d, uint32_t i, DetectCounters& counters);

  const applayer::Transaction* tx_ = nullptr;
  AppProto proto_ = AppProto::kUnknown;
  uint64_t stamp_ = 0;
  std::vector<Slot> slots_;
};

// Runs a chain over `in`. False: it has no result. The result is in `out`; `spare` is room.
[[nodiscard]] bool run_transforms(std::span<const Transform* const> chain, Bytes in, std::string& out, std::string& spare);

}  // namespace vong::detect
