#include "sensor/applayer/core/frame.h"

#include <algorithm>

#include "sensor/applayer/core/limits.h"

namespace vong::applayer {

Frame* FrameSet::add(Direction d, uint8_t type, uint64_t offset, int64_t length, std::optional<uint64_t> tx_id) {
  auto& frames = of(d);
  const unsigned shift = d == Direction::kToServer ? 0 : 32;
  made_ += uint64_t{1} << shift;
  if (frames.size() >= kMaxFrames) {
    ++dropped_;
    return nullptr;
  }
  Frame& f = frames.emplace_back();
  f.id = made_ >> shift & UINT32_MAX;
  f.direction = d;
  f.type = type;
  f.offset = offset;
  f.length = length;
  f.tx_id = tx_id;
  return &f;
}

void FrameSet::end(Direction d, uint8_t type, uint64_t offset) {
  auto& frames = of(d);
  const auto it = std::find_if(frames.rbegin(), frames.rend(), [&](const Frame& f) { return f.type == type && f.length == kUnknownLength; });
  if (it == frames.rend() || offset < it->offset) return;
  it->length = static_cast<int64_t>(offset - it->offset);
  if (it->data.size() > static_cast<uint64_t>(it->length)) it->data.resize(static_cast<size_t>(it->length));
}

void FrameSet::set_tx(Direction d, uint8_t type, uint64_t tx_id) {
  auto& frames = of(d);
  const auto it = std::find_if(frames.rbegin(), frames.rend(), [&](const Frame& f) { return f.type == type; });
  if (it != frames.rend() && !it->tx_id) it->tx_id = tx_id;
}

void FrameSet::fill(Direction d, Bytes data, uint64_t offset) {
  size_t held = 0;
  for (Frame& f : of(d)) {
    held += f.data.size();
    if (f.closed) continue;
    if (held > kFramesBytesMax) {
      f.closed = true;
      continue;
    }
    const uint64_t have = f.offset + f.data.size();   // the next byte that it wants
    uint64_t end = offset + data.size();
    if (f.length != kUnknownLength) end = std::min(end, f.offset + static_cast<uint64_t>(f.length));
    end = std::min<uint64_t>(end, f.offset + kFrameBytesMax);
    if (have >= offset && end > have) f.data.append(as_text(data.subspan(have - offset, end - have)));
    if (have < offset || f.data.size() >= kFrameBytesMax) f.closed = true;   // bytes between were not shown, or enough of it
    if (f.complete()) f.closed = true;
  }
}

void FrameSet::close(Direction d) {
  for (Frame& f : of(d)) f.closed = true;
}

void FrameSet::collect() {
  for (auto& frames : frames_) {
    std::erase_if(frames, [this](const Frame& f) { return f.closed && f.inspection_done && (f.logged || !logging); });
  }
}

}  // namespace vong::applayer
