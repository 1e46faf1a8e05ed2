// Files that are fetched in parts (byte ranges, RFC 9110 section 14), over one connection or several, with HTTP/1 or HTTP/2: put
// together here, so that the file as its receiver has it is inspected, hashed and recorded besides its parts.
//
// One object for all workers, since the parts come in flows of several: a lock stands around each call, and only responses with a
// Content-Range call. Time is the packets'. Parts that never become whole go after the timeout or, when memory runs short, the one
// that was not touched for longest first; the parts themselves are on record then as before.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/http/content_range.h"

namespace vong::http {

class RangeFiles {
 public:
  // app-layer.protocols.http.byterange: memcap, timeout (seconds).
  struct Limits {
    uint64_t bytes_max = uint64_t{100} << 20;  // of all files that are under way, with their keys
    std::chrono::seconds timeout{60};          // since the last byte of a file
  };
  struct Counters {
    uint64_t whole = 0, expired = 0, evicted = 0, given_up = 0;
  };

  void set_limits(Limits limits);
  // Bytes `offset`.. of the file `key`, which has `total`. The file, closed, once none is missing. Bytes that are there already are
  // not taken again. `options`: hashes and type that are wanted of it.
  [[nodiscard]] std::optional<applayer::File> put(const std::string& key, uint64_t total,
                                                  uint64_t offset, Bytes data,
                                                  const applayer::FileOptions& options,
                                                  Timestamp now);
  // Forgets all of it: another capture begins.
  void clear();
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] uint64_t bytes() const;

 private:
  struct Entry {
    explicit Entry(const applayer::FileOptions& options) : files(options) {}
    std::string key;
    applayer::FileContainer files;           // one file: what is there without a hole
    std::map<uint64_t, std::string> pieces;  // behind the hole, by offset
    uint64_t tracked = 0;                    // bytes without a hole
    uint64_t piece_bytes = 0;
    uint64_t charge = 0;  // of bytes_
    Timestamp touched;
    bool given_up = false;
  };
  using Entries = std::list<Entry>;  // the longest untouched first

  Entry& entry(const std::string& key, const applayer::FileOptions& options, Timestamp now);
  void expire(Timestamp now);
  void make_room(const Entry& keep);
  void drop(Entries::iterator it);
  void charge(Entry& e);
  static void take(Entry& e, uint64_t offset, Bytes data);
  static void take_pieces(Entry& e);

  mutable std::mutex mutex_;
  Limits limits_;
  Counters counters_;
  Entries entries_;
  absl::flat_hash_map<std::string, Entries::iterator> by_key_;
  uint64_t bytes_ = 0;
};

[[nodiscard]] RangeFiles::Limits range_limits(const Settings& settings);

// The process's own, which HTTP/1 and HTTP/2 share.
[[nodiscard]] std::shared_ptr<RangeFiles> shared_range_files();

// One part on its way: the body of a response.
class RangePart {
 public:
  // Nothing: the range is not one of several (whole, of unknown size, odd), or what was asked for is not known. `target` as the
  // request has it, `host` with or without a port.
  [[nodiscard]] static std::optional<RangePart> of(const ContentRange& range,
                                                   const IpAddress& client, std::string_view host,
                                                   std::string_view target);
  // The next bytes of the body. The whole file goes to take_whole().
  void feed(RangeFiles& files, Bytes data, const applayer::FileOptions& options, Timestamp now);
  void gap(uint64_t size) { at_ += size; }
  // Puts the file that became whole with this part behind the others of `container`.
  void add_whole_to(applayer::FileContainer& container, std::string_view name, uint64_t& next_id);

 private:
  std::string key_;
  uint64_t at_ = 0, end_ = 0, total_ = 0;  // end_: behind the last
  std::optional<applayer::File> whole_;
};

}  // namespace vong::http
