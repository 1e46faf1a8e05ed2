#include "sensor/detect/buffer_cache.h"

#include "sensor/detect/limits.h"

namespace vong::detect {

bool run_transforms(std::span<const Transform* const> chain, Bytes in, std::string& out, std::string& spare) {
  bool first = true;
  for (const Transform* t : chain) {
    if (!first) std::swap(out, spare);
    out.clear();
    if (!t->apply(first ? in : as_bytes(spare), out)) return false;
    if (out.size() > kMaxTransformedBytes) out.resize(kMaxTransformedBytes);
    first = false;
  }
  return true;
}

void BufferCache::fill(Entry& e, const BufferUse& use, Direction d, uint32_t i, DetectCounters& counters) {
  e.view = applayer::BufferView::none();
  const applayer::BufferDef* def = use.buffer->def(proto_);
  if (def == nullptr || def->get == nullptr) return;
  if (i > 0 && !def->multi) return;
  e.scratch.clear();
  e.view = def->get(*tx_, d, i, e.scratch);
  if (!e.view.present || use.transforms.empty()) return;
  if (!run_transforms(use.transforms, e.view.data, e.transformed, e.spare)) {
    ++counters.transform_failed;
    e.view = applayer::BufferView::none();
    return;
  }
  e.view.data = as_bytes(e.transformed);
  e.view.offset = 0;
}

const applayer::BufferView& BufferCache::get(const BufferUse& use, Direction d, uint32_t i, DetectCounters& counters) {
  Slot& slot = slots_[use.index * kDirections + static_cast<size_t>(index(d))];
  Entry* e = &slot.first;
  if (i > 0) {
    while (slot.more.size() < i) slot.more.push_back(std::make_unique<Entry>());
    e = slot.more[i - 1].get();
  }
  if (e->stamp != stamp_) {
    e->stamp = stamp_;
    fill(*e, use, d, i, counters);
  }
  return e->view;
}

}  // namespace vong::detect
