#include "sensor/applayer/http/body.h"

#include <algorithm>

#include "base/tight_append.h"
#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {
namespace {

uint64_t limit_of(const ServerConfig& c, Direction d) {
  return d == Direction::kToServer ? c.request_body_limit : c.response_body_limit;
}
uint64_t inspect_min_of(const ServerConfig& c, Direction d) {
  return d == Direction::kToServer ? c.request_body_inspect_min : c.response_body_inspect_min;
}
uint64_t window_of(const ServerConfig& c, Direction d) {
  return d == Direction::kToServer ? c.request_body_inspect_window : c.response_body_inspect_window;
}

}  // namespace

bool body_is_presentable(const HttpTransaction& tx, Direction d) {
  const Body& b = tx.message(d).body;
  const uint64_t limit = limit_of(*tx.config, d);
  return tx.progress_of(d) > kBody || b.total >= inspect_min_of(*tx.config, d) ||
         (limit != 0 && b.total >= limit);
}

void BodyReader::begin(HttpTransaction& tx) {
  kind_ = Kind::kUndecided;
  lost_sync_ = false;
  form_.reset();
  decoder_.reset();
  range_.reset();
  const Message& m = tx.message(direction_);
  if (const auto value = m.value_of("content-encoding")) read_content_encoding(tx, *value);
}

void BodyReader::read_content_encoding(HttpTransaction& tx, std::string_view value) {
  auto decoder =
      std::make_unique<Decompressor>(tx.config->lzma_memory_max, tx.config->bomb_bytes_min);
  const int layers_max = tx.config->response_layers_max > 0
                             ? std::min(tx.config->response_layers_max, kDecompressionLayersMax)
                             : kDecompressionLayersMax;
  int layers = 0;
  const bool list = value.find_first_of(", ") != std::string_view::npos;
  while (!value.empty()) {
    const size_t begin = value.find_first_not_of(", ");
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(value.find_first_of(", ", begin), value.size());
    const std::string_view token = value.substr(begin, end - begin);
    value = value.substr(end);
    if (list && ++layers > layers_max) {
      tx.raise(Event::kTooManyEncodingLayers);
      break;
    }
    const auto exactly = [&](std::string_view a, std::string_view b) {
      return equals_ignoring_nul(token, a) || equals_ignoring_nul(token, b);
    };
    if (contains_ignoring_nul(token, "gzip")) {
      if (!exactly("gzip", "x-gzip")) tx.raise(Event::kAbnormalCeHeader);
      decoder->add_layer(Coding::kGzip);
    } else if (contains_ignoring_nul(token, "deflate")) {
      if (!exactly("deflate", "x-deflate")) tx.raise(Event::kAbnormalCeHeader);
      decoder->add_layer(Coding::kDeflate);
    } else if (exactly("br", "br")) {
      decoder->add_layer(Coding::kBrotli);
    } else if (exactly("lzma", "lzma")) {
      if (tx.config->lzma) decoder->add_layer(Coding::kLzma);
    } else if (!exactly("identity", "inflate") && !exactly("none", "none")) {
      tx.raise(Event::kAbnormalCeHeader);
    }
  }
  if (!decoder->empty()) decoder_ = std::move(decoder);
}

void BodyReader::feed(HttpTransaction& tx, Bytes data) {
  if (data.empty()) return;
  tx.message(direction_).wire_bytes += data.size();
  if (decoder_ == nullptr) return deliver(tx, data);
  if (lost_sync_) return;
  decoder_->feed(data, [&](Bytes plain) { deliver(tx, plain); });
  report_problems(tx);
}

void BodyReader::report_problems(HttpTransaction& tx) {
  const DecompressProblems& p = decoder_->problems();
  if (p.failed) tx.raise(Event::kGzipDecompressionFailed);
  if (p.lzma_memory) tx.raise(Event::kLzmaMemlimitReached);
  if (p.bomb) tx.raise(Event::kCompressionBomb);
}

void BodyReader::gap(HttpTransaction& tx, uint64_t size) {
  Message& m = tx.message(direction_);
  m.wire_bytes += size;
  tx.updated[static_cast<size_t>(index(direction_))] = true;
  if (decoder_ != nullptr) lost_sync_ = true;
  choose_kind(tx);
  if (kind_ == Kind::kForm) kind_ = Kind::kNoFile;
  if (m.files != nullptr) m.files->gap(size);
  if (range_) range_->gap(size);
}

void BodyReader::finish(HttpTransaction& tx, bool whole) {
  if (decoder_ != nullptr) {
    if (!lost_sync_) {
      decoder_->finish([&](Bytes plain) { deliver(tx, plain); });
      report_problems(tx);
    }
    decoder_.reset();
  }
  if (form_) {
    form_tx_ = &tx;
    form_->finish(*this);
    if (form_->saw_bad_header()) tx.raise(Event::kMultipartInvalidHeader);
    if (form_->saw_no_data()) tx.raise(Event::kMultipartNoFiledata);
    form_tx_ = nullptr;
    form_.reset();
  }
  Message& m = tx.message(direction_);
  if (m.files != nullptr) applayer::end_file(*m.files, whole && !lost_sync_);
  if (range_ && m.files != nullptr && !m.files->files().empty()) {
    const std::string name = m.files->files().back().name;
    range_->add_whole_to(*m.files, name, next_file_id_);
  }
  range_.reset();
}

void BodyReader::deliver(HttpTransaction& tx, Bytes data) {
  Message& m = tx.message(direction_);
  Body& b = m.body;
  // Detection clears the mark once it has looked: it has then seen all that could be shown.
  bool& updated = tx.updated[static_cast<size_t>(index(direction_))];
  if (!updated && b.total > b.inspected && body_is_presentable(tx, direction_))
    b.inspected = b.total;
  updated = true;
  const uint64_t limit = limit_of(*tx.config, direction_);
  Bytes inspected = data;
  if (limit != 0) {
    const uint64_t room = b.total < limit ? limit - b.total : 0;
    if (data.size() > room) {
      inspected = data.first(room);
      b.limit_reached = true;
    }
  }
  if (!inspected.empty()) append_to_window(tx, inspected);
  choose_kind(tx);
  if (kind_ == Kind::kForm && !inspected.empty()) {
    form_tx_ = &tx;
    form_->feed(inspected, *this);
    form_tx_ = nullptr;
  }
  if (range_) range_->feed(*config_.ranges, data, config_.files, now_);
  if (m.files == nullptr || !m.files->has_open()) return;
  if (kind_ == Kind::kFile) append_to_file(*m.files, data, inspected);
  if (kind_ == Kind::kForm && b.limit_reached) m.files->close(applayer::FileState::kTruncated);
}

// A file ends at the body's limit unless it is to be stored: then at the store's.
void BodyReader::append_to_file(applayer::FileContainer& files, Bytes data, Bytes inspected) {
  const applayer::File& f = files.files().back();
  if (!f.store_wanted) {
    files.append(inspected);
    if (inspected.size() < data.size()) files.close(applayer::FileState::kTruncated);
    return;
  }
  const uint64_t limit = config_.files.store_bytes_max;
  const uint64_t room = limit == 0 ? data.size() : limit - std::min(limit, f.size);
  files.append(data.first(static_cast<size_t>(std::min<uint64_t>(room, data.size()))));
  if (room < data.size()) files.close(applayer::FileState::kTruncated);
}

// What detection has seen stays only as far as the next window reaches back.
void BodyReader::append_to_window(HttpTransaction& tx, Bytes data) {
  Body& b = tx.message(direction_).body;
  if (b.inspected > b.window_offset) {
    const uint64_t keep_from =
        b.inspected - std::min(b.inspected, window_of(*tx.config, direction_));
    if (keep_from > b.window_offset + b.window.size() / 2) {
      b.window.erase(0, keep_from - b.window_offset);
      b.window_offset = keep_from;
    }
  }
  append_tightly(b.window, as_text(data));
  b.total += data.size();
  if (b.window.size() > kBodyWindowBytesMax) {  // no limit is configured, and nobody looks
    b.window.erase(0, b.window.size() - kBodyWindowBytesMax / 2);
    b.window_offset = b.total - b.window.size();
  }
}

void BodyReader::choose_kind(HttpTransaction& tx) {
  if (kind_ != Kind::kUndecided) return;
  kind_ = Kind::kNoFile;
  if (direction_ == Direction::kToClient) {
    if (tx.response.line.present()) name_and_open_file(tx);
    return;
  }
  if (tx.method_kind == Method::kPost) {
    if (const auto type = tx.request.value_of("content-type")) {
      if (auto boundary = multipart_boundary(*type)) {
        form_.emplace(std::move(*boundary));
        kind_ = Kind::kForm;
        return;
      }
    }
  }
  if (tx.method_kind == Method::kPost || tx.method_kind == Method::kPut) name_and_open_file(tx);
}

void BodyReader::name_and_open_file(HttpTransaction& tx) {
  std::string_view name = tx.path;
  if (direction_ == Direction::kToClient) {
    if (const auto value = tx.response.value_of("content-disposition")) {
      if (const auto given = disposition_parameter(*value, "filename="); given && !given->empty())
        name = *given;
    }
  }
  if (name.empty()) return;
  open_file(tx, name);
}

applayer::FileContainer& BodyReader::container(HttpTransaction& tx) {
  auto& files = tx.message(direction_).files;
  if (files == nullptr) files = std::make_unique<applayer::FileContainer>(config_.files);
  return *files;
}

void BodyReader::open_file(HttpTransaction& tx, std::string_view name) {
  if (name.size() > kFileNameBytesMax) {
    tx.raise(Event::kFileNameTooLong);
    name = name.substr(0, kFileNameBytesMax);
  }
  applayer::File* f = container(tx).open(std::string(name), next_file_id_++);
  if (f == nullptr) return;
  kind_ = direction_ == Direction::kToServer && form_ ? Kind::kForm : Kind::kFile;
  read_range(tx, *f);
}

// The ranges of a content in a coding (gzip) are those of its coded bytes: such parts are not put together.
void BodyReader::read_range(HttpTransaction& tx, applayer::File& file) {
  const auto range = tx.message(direction_).value_of("content-range");
  if (!range) return;
  const auto r = parse_content_range(*range);
  if (!r) return tx.raise(Event::kRangeInvalid);
  if (r->start < 0 || r->end < r->start) return;
  file.range = {static_cast<uint64_t>(r->start), static_cast<uint64_t>(r->end)};
  if (direction_ == Direction::kToClient && decoder_ == nullptr)
    range_ = RangePart::of(*r, client_, tx.host, tx.request.text(tx.uri));
}

void BodyReader::file_begins(std::string_view name) { open_file(*form_tx_, name); }

void BodyReader::file_bytes(Bytes data) {
  if (auto& files = form_tx_->message(direction_).files) files->append(data);
}

void BodyReader::file_ends(bool whole) {
  if (auto& files = form_tx_->message(direction_).files) applayer::end_file(*files, whole);
}

}  // namespace vong::http
