#include "sensor/applayer/core/file.h"

#include <magic.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/encode.h"
#include "base/strings.h"
#include "base/tight_append.h"
#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/core/limits.h"

namespace vong::applayer {
namespace {

struct DigestDeleter {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestDeleter>;

DigestContext make_digest(const EVP_MD* type) {
  DigestContext c(EVP_MD_CTX_new());
  if (c == nullptr || EVP_DigestInit_ex(c.get(), type, nullptr) != 1) c.reset();
  return c;
}

std::string hex_digest(EVP_MD_CTX* c) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (c == nullptr || EVP_DigestFinal_ex(c, digest, &size) != 1) return {};
  return hex_of(Bytes(digest, size));
}

// One libmagic cookie a thread: it is not safe to share, and dear to open.
class Magic {
 public:
  Magic() : cookie_(magic_open(MAGIC_NONE)) {
    if (cookie_ != nullptr && magic_load(cookie_, nullptr) != 0) {
      magic_close(cookie_);
      cookie_ = nullptr;
    }
  }
  ~Magic() {
    if (cookie_ != nullptr) magic_close(cookie_);
  }
  Magic(const Magic&) = delete;
  Magic& operator=(const Magic&) = delete;

  std::string describe(std::string_view data) {
    if (cookie_ == nullptr) return {};
    const char* text = magic_buffer(cookie_, data.data(), std::min(data.size(), kMagicBytesMax));
    return text != nullptr ? std::string(text) : std::string();
  }

 private:
  magic_t cookie_;
};

void find_magic(File& f) {
  if (f.magic_done || f.window_offset != 0 || f.window.empty()) return;
  thread_local Magic magic;
  f.magic = magic.describe(f.window);
  f.magic_done = true;
}

}  // namespace

class FileHasher {
 public:
  explicit FileHasher(const FileOptions& o) {
    if (o.md5) md5_ = make_digest(EVP_md5());
    if (o.sha1) sha1_ = make_digest(EVP_sha1());
    if (o.sha256) sha256_ = make_digest(EVP_sha256());
  }
  void update(Bytes data) {
    for (EVP_MD_CTX* c : {md5_.get(), sha1_.get(), sha256_.get()}) {
      if (c != nullptr) EVP_DigestUpdate(c, data.data(), data.size());
    }
  }
  void finish(File& f) {
    f.md5 = hex_digest(md5_.get());
    f.sha1 = hex_digest(sha1_.get());
    f.sha256 = hex_digest(sha256_.get());
  }

 private:
  DigestContext md5_, sha1_, sha256_;
};

File::File() = default;
File::~File() = default;
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;

FileOptions file_options(const Settings& settings) {
  FileOptions o;
  const auto want = [&](std::string_view hash) {
    const std::string name = to_lower(hash);
    o.md5 = o.md5 || name == "md5";
    o.sha1 = o.sha1 || name == "sha1";
    o.sha256 = o.sha256 || name == "sha256";
  };
  const auto read_hashes = [&](const std::string& path) {
    if (const auto text = settings.get(path)) want(*text);
    for (const std::string& child : settings.children(path))
      want(settings.text(path + "." + child, ""));
  };
  o.store_bytes_max = settings.size_bytes("stream.reassembly.depth", o.store_bytes_max);
  for (const std::string& n : settings.children("outputs")) {
    const std::string output = "outputs." + n;
    const std::string types = output + ".eve-log.types";
    for (const std::string& m : settings.children(types)) {
      const std::string files = types + "." + m + ".files";
      read_hashes(files + ".force-hash");
      o.magic = o.magic || settings.flag(files + ".force-magic", false);
    }
    const std::string store = output + ".file-store";
    if (!settings.has(store) || !settings.flag(store + ".enabled", false)) continue;
    o.sha256 = true;  // the stored file's name
    o.store_bytes_max = settings.size_bytes(store + ".stream-depth", o.store_bytes_max);
    read_hashes(store + ".force-hash");
    o.magic = o.magic || settings.flag(store + ".force-magic", false);
  }
  o.md5 = o.md5 || settings.flag("app-layer.files.md5", false);
  o.sha1 = o.sha1 || settings.flag("app-layer.files.sha1", false);
  o.sha256 = o.sha256 || settings.flag("app-layer.files.sha256", false);
  o.magic = o.magic || settings.flag("app-layer.files.magic", false);
  return o;
}

File* FileContainer::open(std::string name, uint64_t id) {
  if (has_open()) close(FileState::kTruncated);
  if (files_.size() >= kMaxFilesPerTransaction) return nullptr;
  File& f = files_.emplace_back();
  f.id = id;
  f.name = std::move(name);
  if (options_.md5 || options_.sha1 || options_.sha256)
    f.hasher = std::make_unique<FileHasher>(options_);
  return &f;
}

void FileContainer::append(Bytes data) {
  if (!has_open() || data.empty()) return;
  File& f = files_.back();
  f.size += data.size();
  if (f.hasher != nullptr) f.hasher->update(data);
  append_tightly(f.window, as_text(data));
  if (options_.magic && !f.magic_done && f.window_offset == 0 && f.window.size() >= kMagicBytesMin)
    find_magic(f);
  // The window slides over what detection has seen, and over more when it grows past twice its
  // size.
  if (f.window.size() > options_.window_bytes * 2 ||
      (f.window.size() > options_.window_bytes &&
       f.inspected >= f.window_offset + f.window.size() - options_.window_bytes)) {
    size_t drop = f.window.size() - options_.window_bytes;
    if (f.storing) drop = std::min<size_t>(drop, f.stored_bytes > f.window_offset ? f.stored_bytes - f.window_offset : 0);
    f.window.erase(0, drop);
    f.window_offset += drop;
  }
}

void FileContainer::gap(uint64_t size) {
  if (!has_open()) return;
  File& f = files_.back();
  f.gaps = true;
  f.size += size;
  f.hasher.reset();
  // What is kept must be contiguous.
  f.window.clear();
  f.window_offset = f.size;
}

void FileContainer::close(FileState state) {
  if (!has_open()) return;
  File& f = files_.back();
  f.state = f.gaps ? FileState::kTruncated : state;
  if (options_.magic) find_magic(f);
  if (f.hasher != nullptr) f.hasher->finish(f);  // a file cut at a limit has the hash of what was kept
  f.hasher.reset();
}

void abandon(FileContainer& files) {
  if (!files.has_open()) return;
  files.files().back().hasher.reset();
  files.close(FileState::kTruncated);
}

}  // namespace vong::applayer
