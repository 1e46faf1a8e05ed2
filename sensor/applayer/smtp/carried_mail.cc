#include "sensor/applayer/smtp/carried_mail.h"

#include <algorithm>

#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/smtp/limits.h"

namespace vong::smtp {

CarriedMail::CarriedMail(const Config& config, uint64_t& next_file_id)
    : config_(config), ids_(next_file_id), mime_(config.mime, *this) {}

void CarriedMail::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const size_t n =
        std::min(newline == std::string_view::npos ? bytes.size() : newline + 1, kMaxLineBytes);
    const std::string_view piece = bytes.substr(0, n);
    bytes.remove_prefix(n);
    const bool ends = piece.back() == '\n';
    if (pending_.empty() && ends) {
      take(piece);
      continue;
    }
    pending_.append(piece);
    if (!ends && pending_.size() < kMaxLineBytes) continue;
    take(pending_);
    pending_.clear();
  }
}

// A line with its end, or a piece of one.
void CarriedMail::take(std::string_view line) {
  size_t end = 0;
  if (line.ends_with('\n')) end = line.ends_with("\r\n") ? 2 : 1;
  const std::string_view text = line.substr(0, line.size() - end);
  const bool begins = !in_line_;
  in_line_ = end == 0;
  // Nobody has put a dot before a dot here, as DATA does.
  if (begins && text.size() > 1 && text.front() == '.') {
    mime_.line("." + std::string(text), line.substr(text.size()));
  } else {
    mime_.line(text, line.substr(text.size()));
  }
}

void CarriedMail::finish(bool whole) {
  if (finished_) return;
  finished_ = true;
  if (!pending_.empty()) take(pending_);
  std::string().swap(pending_);
  mime_.finish(whole);
}

void CarriedMail::file_open(std::string name) {
  if (container_ == nullptr) container_ = std::make_unique<applayer::FileContainer>(config_.files);
  if (container_->open(std::move(name), ids_) != nullptr) ++ids_;
}

void CarriedMail::file_data(Bytes data) {
  if (container_ != nullptr) container_->append(data);
}

void CarriedMail::file_close(bool whole) {
  if (container_ != nullptr) applayer::end_file(*container_, whole);
}

}  // namespace vong::smtp
