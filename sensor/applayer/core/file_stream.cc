#include "sensor/applayer/core/file_stream.h"

#include <algorithm>

namespace vong::applayer {

FileStream::FileStream(const FileOptions& options, std::string name, uint64_t file_id)
    : files_(options) {
  files_.open(std::move(name), file_id);
}

FileStream::Outcome FileStream::part(uint64_t offset, uint64_t size, Bytes data,
                                     const QueueLimits& limits) {
  Outcome outcome = Outcome::kOk;
  left_ = size;
  part_offset_ = offset;
  if (offset == tracked_) {
    kind_ = Part::kInOrder;
  } else if (offset < tracked_) {
    kind_ = Part::kIgnored;
    outcome = Outcome::kOverlap;
  } else if (limits.bytes_max != 0 && queued_bytes_ + size > limits.bytes_max) {
    kind_ = Part::kIgnored;
    outcome = Outcome::kQueueBytes;
  } else if (limits.parts_max != 0 && queue_.size() >= limits.parts_max) {
    kind_ = Part::kIgnored;
    outcome = Outcome::kQueueParts;
  } else {
    kind_ = Part::kQueued;
    queue_[offset].clear();
  }
  more(data);
  return outcome;
}

void FileStream::more(Bytes data) {
  data = data.first(std::min<uint64_t>(data.size(), left_));
  left_ -= data.size();
  switch (kind_) {
    case Part::kInOrder:
      files_.append(data);
      tracked_ += data.size();
      if (left_ == 0) take_queued();
      break;
    case Part::kQueued:
      queue_[part_offset_].append(as_text(data));
      queued_bytes_ += data.size();
      break;
    case Part::kIgnored:
    case Part::kNone:
      break;
  }
  if (left_ == 0) kind_ = Part::kNone;
}

void FileStream::lost(uint64_t size) {
  size = std::min(size, left_);
  left_ -= size;
  if (kind_ == Part::kInOrder) {
    files_.gap(size);
    tracked_ += size;
    if (left_ == 0) take_queued();
  } else if (kind_ == Part::kQueued) {
    const auto it = queue_.find(part_offset_);
    if (it != queue_.end()) {
      queued_bytes_ -= it->second.size();
      queue_.erase(it);
    }
    kind_ = Part::kIgnored;
  }
  if (left_ == 0) kind_ = Part::kNone;
}

void FileStream::take_queued() {
  for (auto it = queue_.begin(); it != queue_.end() && it->first <= tracked_;
       it = queue_.erase(it)) {
    queued_bytes_ -= it->second.size();
    const uint64_t known = tracked_ - it->first;
    if (known >= it->second.size()) continue;
    const Bytes fresh = as_bytes(it->second).subspan(known);
    files_.append(fresh);
    tracked_ += fresh.size();
  }
}

void FileStream::close() {
  if (closed_) return;
  closed_ = true;
  left_ = 0;
  kind_ = Part::kNone;
  queue_.clear();
  queued_bytes_ = 0;
  if (files_.has_open()) files_.close();
}

void FileStream::abandon() {
  if (!closed_) applayer::abandon(files_);
  close();
}

}  // namespace vong::applayer
