// Bodies: content codings off, into files, and into DNS messages.
#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/http/syntax.h"
#include "sensor/applayer/http2/parser.h"

namespace vong::http2 {

void Http2Parser::begin_body(Http2Transaction& tx, Direction d) {
  Side& s = tx.side(d);
  s.body_begun = true;
  if (const Field* coding = s.find("content-encoding")) {
    auto decoder = std::make_unique<http::Decompressor>(0, config_.bomb_bytes_min);
    const std::string name = to_lower(strip(coding->value()));
    if (name == "gzip" || name == "x-gzip") decoder->add_layer(http::Coding::kGzip);
    if (name == "deflate") decoder->add_layer(http::Coding::kDeflate);
    if (name == "br") decoder->add_layer(http::Coding::kBrotli);
    if (!decoder->empty()) s.decoder = std::move(decoder);
  }
  s.files = std::make_unique<applayer::FileContainer>(config_.files);
  applayer::File* file = s.files->open(std::string(), next_file_id_++);
  const Field* range = s.find("content-range");
  if (file == nullptr || range == nullptr || d != Direction::kToClient) return;
  const auto r = http::parse_content_range(range->value());
  if (!r) return tx.raise(Event::kInvalidRange);
  if (r->start >= 0 && r->end >= r->start)
    file->range = {static_cast<uint64_t>(r->start), static_cast<uint64_t>(r->end)};
  if (s.decoder != nullptr) return;  // ranges of coded bytes
  const Side& request = tx.side(Direction::kToServer);
  const Field *host = request.find(":authority"), *target = request.find(":path");
  if (host == nullptr) host = request.find("host");
  if (host != nullptr && target != nullptr)
    s.range = http::RangePart::of(*r, client_, host->value(), target->value());
}

void Http2Parser::body(Http2Transaction& tx, Direction d, Bytes data) {
  if (data.empty()) return;
  Side& s = tx.side(d);
  if (s.ended) return;  // nothing may follow the end of a stream
  if (!s.body_begun) begin_body(tx, d);
  s.body_bytes += data.size();
  tx.updated[static_cast<size_t>(index(d))] = true;
  if (s.decoder == nullptr) return deliver(tx, d, data);
  s.decoder->feed(data, [&](Bytes plain) { deliver(tx, d, plain); });
  if (s.decoder->problems().failed || s.decoder->problems().bomb)
    tx.raise(Event::kFailedDecompression);
}

void Http2Parser::deliver(Http2Transaction& tx, Direction d, Bytes plain) {
  Side& s = tx.side(d);
  s.files->append(plain);
  if (s.range) s.range->feed(*config_.ranges, plain, config_.files, now_);
  if (!s.is_dns || !config_.doh) return;
  if (s.dns_message.size() + plain.size() > kDnsBytesMax) {
    tx.raise(d == Direction::kToServer ? Event::kDnsRequestTooLong : Event::kDnsResponseTooLong);
    s.is_dns = false;
    std::string().swap(s.dns_message);
    return;
  }
  s.dns_message.append(as_text(plain));
}

void Http2Parser::finish_body(Http2Transaction& tx, Direction d, bool whole) {
  Side& s = tx.side(d);
  if (!s.body_begun) return;
  if (s.decoder != nullptr) {
    s.decoder->finish([&](Bytes plain) { deliver(tx, d, plain); });
    if (s.decoder->problems().failed) tx.raise(Event::kFailedDecompression);
    s.decoder.reset();
  }
  applayer::end_file(*s.files, whole);
  if (s.range && !s.files->files().empty())
    s.range->add_whole_to(*s.files, std::string(s.files->files().back().name), next_file_id_);
  s.range.reset();
  if (whole) read_dns_body(tx, d);
}

}  // namespace vong::http2
