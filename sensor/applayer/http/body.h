// Entity bodies: what happens to bytes once chunk framing is off. Content codings, the inspection
// window, files, form data.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "sensor/applayer/http/decompress.h"
#include "sensor/applayer/http/message.h"
#include "sensor/applayer/http/multipart.h"
#include "sensor/applayer/http/range_files.h"

namespace vong::http {

// True when detection may look at the body as it stands: enough of it, all of it, or its limit
// reached.
[[nodiscard]] bool body_is_presentable(const HttpTransaction& tx, Direction d);

// The body of the message that a direction is in. One per direction of a parser, begun anew for
// each message.
class BodyReader : private MultipartSink {
 public:
  BodyReader(const HttpConfig& config, Direction d, uint64_t& next_file_id)
      : config_(config), direction_(d), next_file_id_(next_file_id) {}

  // Whose bytes come next, and when they came.
  void at(const IpAddress& client, Timestamp now) {
    client_ = client;
    now_ = now;
  }
  // After the headers of `tx`: reads Content-Encoding and Content-Type.
  void begin(HttpTransaction& tx);
  void feed(HttpTransaction& tx, Bytes wire_data);
  void gap(HttpTransaction& tx, uint64_t size);
  // `whole`: nothing was missing when it ended.
  void finish(HttpTransaction& tx, bool whole);
  // Layers off: what follows is taken as it is (junk where a status line is due).
  void plain() { decoder_.reset(); }

 private:
  void read_content_encoding(HttpTransaction& tx, std::string_view value);
  void deliver(HttpTransaction& tx, Bytes data);
  void append_to_window(HttpTransaction& tx, Bytes data);
  void append_to_file(applayer::FileContainer& files, Bytes data, Bytes inspected);
  void choose_kind(HttpTransaction& tx);
  void open_file(HttpTransaction& tx, std::string_view name);
  void name_and_open_file(HttpTransaction& tx);
  [[nodiscard]] applayer::FileContainer& container(HttpTransaction& tx);
  void report_problems(HttpTransaction& tx);
  void read_range(HttpTransaction& tx, applayer::File& file);

  void file_begins(std::string_view name) override;
  void file_bytes(Bytes data) override;
  void file_ends(bool whole) override;

  enum class Kind : uint8_t { kUndecided, kNoFile, kFile, kForm };

  const HttpConfig& config_;
  Direction direction_;
  uint64_t& next_file_id_;
  std::unique_ptr<Decompressor> decoder_;
  std::optional<Multipart> form_;
  HttpTransaction* form_tx_ = nullptr;  // during a call of form_
  std::optional<RangePart> range_;      // this body is a part of a file
  IpAddress client_;
  Timestamp now_;
  Kind kind_ = Kind::kUndecided;
  bool lost_sync_ = false;  // a gap inside compressed bytes
};

}  // namespace vong::http
