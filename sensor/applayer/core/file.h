// Files carried by protocols: body bytes in, name, magic, hashes and a window of the content out (file.data, filemagic, filemd5,
// fileinfo records, filestore).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/settings.h"

namespace vong::applayer {

enum class FileState : uint8_t { kOpen, kClosed, kTruncated, kError };  // EVE: UNKNOWN (open at log time), CLOSED, TRUNCATED, ERROR

// What is wanted of files: from settings (outputs.N.eve-log.types.M.files.force-*, filestore) and from the rules that are loaded.
struct FileOptions {
  bool md5 = false, sha1 = false, sha256 = false, magic = false;
  uint64_t window_bytes = 100 * 1024;   // how much of the content is kept for inspection
  uint64_t store_bytes_max = 1024 * 1024;   // of a file that is stored, whatever the limit for inspection; 0: no limit
};

// Reads both: the eve-log and file-store sections, and `app-layer.files.{md5,sha1,sha256,magic}`, which the program sets when a loaded rule
// asks for a hash or the type.
[[nodiscard]] FileOptions file_options(const Settings& settings);

class FileHasher;  // hides OpenSSL

struct File {
  // Why: FileHasher is incomplete here.
  File();
  ~File();
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;

  uint64_t id = 0;               // counts up in a flow
  std::string name;              // bytes as the protocol carried them
  FileState state = FileState::kOpen;
  uint64_t size = 0;             // bytes seen
  bool gaps = false;
  bool stored = false, store_wanted = false;
  bool storing = false, store_failed = false;   // the file store takes its bytes; it could not
  uint64_t stored_bytes = 0;     // that the file store has: the window does not slide past them while `storing`
  uint64_t store_id = 0;         // EVE's file_id: the file store's number
  std::optional<std::pair<uint64_t, uint64_t>> range;   // HTTP Content-Range: start, end
  std::string magic;             // libmagic's text once enough bytes were seen or the file closed
  std::string md5, sha1, sha256; // lower-case hex once closed
  std::vector<uint32_t> sids;    // rules with filestore that matched it
  // The kept window: content[0] is byte `window_offset` of the file.
  std::string window;
  uint64_t window_offset = 0;
  uint64_t inspected = 0;        // detection is done below this file offset
  bool magic_done = false;
  bool logged = false;
  std::unique_ptr<FileHasher> hasher;
};

// The files of one direction of a transaction, in order. Caps: kMaxFilesPerTransaction open or unlogged files.
class FileContainer {
 public:
  explicit FileContainer(const FileOptions& options) : options_(options) {}

  // Opens a file; the last one, when still open, is closed as truncated. Null when the cap is reached (counted by the caller).
  File* open(std::string name, uint64_t id);
  void append(Bytes data);
  void gap(uint64_t size);                   // missing bytes: they count in its size, it ends truncated, hashes are dropped
  void close(FileState state = FileState::kClosed);

  [[nodiscard]] bool has_open() const { return !files_.empty() && files_.back().state == FileState::kOpen; }
  [[nodiscard]] std::deque<File>& files() { return files_; }
  [[nodiscard]] const std::deque<File>& files() const { return files_; }

 private:
  FileOptions options_;
  std::deque<File> files_;
};

inline constexpr size_t kMaxFilesPerTransaction = 1024;

}  // namespace vong::applayer
