#include "sensor/applayer/http/range_files.h"

#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"

namespace vong::http {

RangeFiles::Limits range_limits(const Settings& settings) {
  RangeFiles::Limits l;
  const std::string at = "app-layer.protocols.http.byterange.";
  l.bytes_max = settings.size_bytes(at + "memcap", l.bytes_max);
  l.timeout = std::chrono::seconds(
      std::max<int64_t>(0, settings.integer(at + "timeout", l.timeout.count())));
  return l;
}

std::shared_ptr<RangeFiles> shared_range_files() {
  static const auto files = std::make_shared<RangeFiles>();
  return files;
}

void RangeFiles::set_limits(Limits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

RangeFiles::Counters RangeFiles::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

uint64_t RangeFiles::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void RangeFiles::clear() {
  const std::lock_guard lock(mutex_);
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
}

std::optional<applayer::File> RangeFiles::put(const std::string& key, uint64_t total,
                                              uint64_t offset, Bytes data,
                                              const applayer::FileOptions& options, Timestamp now) {
  const std::lock_guard lock(mutex_);
  expire(now);
  Entry& e = entry(key, options, now);
  if (e.given_up || offset >= total) return std::nullopt;
  take(e, offset, data.first(std::min<uint64_t>(data.size(), total - offset)));
  charge(e);
  if (e.tracked == total) {
    e.files.close();
    applayer::File whole = std::move(e.files.files().back());
    ++counters_.whole;
    drop(by_key_.find(key)->second);
    return whole;
  }
  make_room(e);
  return std::nullopt;
}

RangeFiles::Entry& RangeFiles::entry(const std::string& key, const applayer::FileOptions& options,
                                     Timestamp now) {
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    entries_.splice(entries_.end(), entries_, known->second);
    known->second->touched = now;
    return *known->second;
  }
  if (entries_.size() >= kRangeFilesMax) {
    ++counters_.evicted;
    drop(entries_.begin());
  }
  applayer::FileOptions kept = options;
  kept.window_bytes = std::max<uint64_t>(kept.window_bytes, kRangeWholeBytesMax);
  Entry& e = entries_.emplace_back(kept);
  e.key = key;
  e.touched = now;
  (void)e.files.open(std::string(), 0);
  by_key_.emplace(key, std::prev(entries_.end()));
  return e;
}

void RangeFiles::take(Entry& e, uint64_t offset, Bytes data) {
  if (offset + data.size() <= e.tracked) return;
  if (offset <= e.tracked) {
    const Bytes fresh = data.subspan(static_cast<size_t>(e.tracked - offset));
    e.files.append(fresh);
    e.tracked += fresh.size();
    return take_pieces(e);
  }
  const auto next = e.pieces.upper_bound(offset);
  if (next != e.pieces.begin()) {
    const auto before = std::prev(next);
    const uint64_t end = before->first + before->second.size();
    if (offset + data.size() <= end) return;
    if (offset <= end) {  // a part that comes in pieces grows
      const Bytes fresh = data.subspan(static_cast<size_t>(end - offset));
      before->second.append(as_text(fresh));
      e.piece_bytes += fresh.size();
      return;
    }
  }
  if (e.pieces.size() >= kRangePiecesMax) {
    e.given_up = true;
    return;
  }
  e.pieces.emplace_hint(next, offset, as_text(data));
  e.piece_bytes += data.size();
}

void RangeFiles::take_pieces(Entry& e) {
  for (auto it = e.pieces.begin(); it != e.pieces.end() && it->first <= e.tracked;
       it = e.pieces.erase(it)) {
    e.piece_bytes -= it->second.size();
    const uint64_t known = e.tracked - it->first;
    if (known >= it->second.size()) continue;
    const Bytes fresh = as_bytes(it->second).subspan(static_cast<size_t>(known));
    e.files.append(fresh);
    e.tracked += fresh.size();
  }
}

void RangeFiles::charge(Entry& e) {
  if (e.given_up) {
    ++counters_.given_up;
    e.pieces.clear();
    e.piece_bytes = 0;
    e.files.files().clear();
  }
  const uint64_t window = e.files.files().empty() ? 0 : e.files.files().back().window.size();
  const uint64_t now = e.piece_bytes + window + 2 * e.key.size();
  bytes_ += now;
  bytes_ -= e.charge;
  e.charge = now;
}

void RangeFiles::expire(Timestamp now) {
  while (!entries_.empty() && now - entries_.front().touched > limits_.timeout) {
    ++counters_.expired;
    drop(entries_.begin());
  }
}

// The one in hand stands last.
void RangeFiles::make_room(const Entry& keep) {
  while (bytes_ > limits_.bytes_max && &entries_.front() != &keep) {
    ++counters_.evicted;
    drop(entries_.begin());
  }
  Entry& last = entries_.back();
  if (bytes_ <= limits_.bytes_max || last.given_up) return;
  last.given_up = true;
  charge(last);
}

void RangeFiles::drop(Entries::iterator it) {
  bytes_ -= it->charge;
  by_key_.erase(it->key);
  entries_.erase(it);
}

// ---------------------------------------------------------------- a part

std::optional<RangePart> RangePart::of(const ContentRange& range, const IpAddress& client,
                                       std::string_view host, std::string_view target) {
  if (range.start < 0 || range.end < range.start || range.size <= range.end) return std::nullopt;
  if (range.start == 0 && range.end + 1 == range.size) return std::nullopt;  // all of it
  // The absolute form of a target (RFC 9112 section 3.2.2) says no more than its path and the host.
  if (const size_t scheme = target.find("://");
      scheme != std::string_view::npos && target.front() != '/') {
    const size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  if (host.empty() || target.empty()) return std::nullopt;
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  RangePart part;
  part.key_ = client.to_string();
  part.key_.append(1, '\0').append(to_lower(host)).append(1, '\0').append(target);
  part.key_.append(1, '\0').append(std::to_string(range.size));
  part.at_ = static_cast<uint64_t>(range.start);
  part.end_ = static_cast<uint64_t>(range.end) + 1;
  part.total_ = static_cast<uint64_t>(range.size);
  return part;
}

void RangePart::feed(RangeFiles& files, Bytes data, const applayer::FileOptions& options,
                     Timestamp now) {
  if (at_ >= end_) return;
  data = data.first(static_cast<size_t>(std::min<uint64_t>(data.size(), end_ - at_)));
  if (auto whole = files.put(key_, total_, at_, data, options, now)) whole_ = std::move(whole);
  at_ += data.size();
}

void RangePart::add_whole_to(applayer::FileContainer& container, std::string_view name,
                             uint64_t& next_id) {
  if (!whole_ || container.has_open() ||
      container.files().size() >= applayer::kMaxFilesPerTransaction)
    return;
  whole_->name = name;
  whole_->id = next_id++;
  container.files().push_back(std::move(*whole_));
  whole_.reset();
}

}  // namespace vong::http
