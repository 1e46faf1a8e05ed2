// A file system in memory that knows what would survive: every file and directory has what programs
// see and what is on the disk. It fails on demand, dies between any two calls (then every call
// fails and nothing changes any more), and comes back as after a kill (everything that was written
// is there) or after a power cut (what was not synced is there in part, sector by sector).
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "exporters/spool/file_system.h"

namespace vong::spool {

class FaultFs : public FileSystem {
 public:
  explicit FaultFs(uint64_t seed) : random_(seed) {}

  // Chance of a fault per call, 0 to 1000, for each kind of call.
  struct Faults {
    int write = 0;  // error, or only a part is written
    int sync = 0;   // error; what was dirty is then lost for the disk, though programs still see it
    int directory = 0;  // create, unlink, sync of the directory
    int read = 0;
    bool disk_full = false;  // every byte more is ENOSPC
  };
  Faults faults;
  uint64_t calls = 0;
  uint64_t dies_at = UINT64_MAX;  // the call with this number and all after it fail

  [[nodiscard]] bool dead() const { return calls >= dies_at; }

  // The programs are gone; the machine comes back.
  void restart(bool power_cut) {
    if (power_cut) cut_power();
    open_.clear();
    locks_.clear();
    dies_at = UINT64_MAX;
  }

  // Flips one bit of what is on the disk, in a file with this prefix; false when there is none.
  bool rot(const std::string& prefix) {
    std::vector<Node*> nodes;
    for (auto& [name, node] : visible_) {
      if (name.starts_with(prefix) && !node->data.empty()) nodes.push_back(node.get());
    }
    if (nodes.empty()) return false;
    Node& node = *nodes[pick(nodes.size())];
    const std::size_t at = pick(node.data.size());
    const char bit = static_cast<char>(1 << pick(8));
    node.data[at] = static_cast<char>(node.data[at] ^ bit);
    if (at < node.disk.size()) node.disk[at] = static_cast<char>(node.disk[at] ^ bit);
    return true;
  }
  // For tests of single cases.
  std::string& bytes(const std::string& name) { return visible_.at(name)->data; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, node] : visible_) result.push_back(name);
    return result;
  }

  IoResult<> make_directory(const std::string&) override { return enter(); }
  IoResult<std::vector<std::string>> list(const std::string&) override {
    if (auto ok = enter(faults.read); !ok) return std::unexpected(ok.error());
    std::vector<std::string> result;
    for (const auto& [name, node] : visible_) result.push_back(name);
    return result;
  }
  IoResult<> sync_directory(const std::string&) override {
    if (auto ok = enter(faults.directory); !ok) return ok;
    on_disk_ = visible_;
    return {};
  }
  IoResult<> unlink(const std::string& path) override {
    if (auto ok = enter(faults.directory); !ok) return ok;
    if (visible_.erase(base(path)) == 0) return std::unexpected(ENOENT);
    return {};
  }
  IoResult<int> create(const std::string& path) override {
    if (auto ok = enter(faults.directory); !ok) return std::unexpected(ok.error());
    if (visible_.contains(base(path))) return std::unexpected(EEXIST);
    return open(visible_[base(path)] = std::make_shared<Node>());
  }
  IoResult<int> open_read(const std::string& path) override {
    if (auto ok = enter(faults.read); !ok) return std::unexpected(ok.error());
    const auto it = visible_.find(base(path));
    if (it == visible_.end()) return std::unexpected(ENOENT);
    return open(it->second);
  }
  IoResult<int> open_update(const std::string& path) override {
    if (auto ok = enter(); !ok) return std::unexpected(ok.error());
    auto& node = visible_[base(path)];
    if (!node) node = std::make_shared<Node>();
    return open(node);
  }
  void close(int fd) override {
    open_.erase(fd);
    std::erase_if(locks_, [fd](const auto& lock) { return lock.second == fd; });
  }
  IoResult<std::size_t> write(int fd, Bytes bytes) override {
    return write_at(fd, bytes, node(fd).data.size());
  }
  IoResult<std::size_t> write_at(int fd, Bytes bytes, uint64_t offset) override {
    if (auto ok = enter(); !ok) return std::unexpected(ok.error());
    std::size_t n = bytes.size();
    if (faults.disk_full && offset + n > node(fd).data.size()) return std::unexpected(ENOSPC);
    if (n > 0 && happens(faults.write)) {
      n = pick(n + 1);
      if (n == 0) return std::unexpected(pick(2) == 0 ? ENOSPC : EIO);
    }
    put(node(fd), bytes.first(n), offset);
    return n;
  }
  IoResult<std::size_t> read_at(int fd, std::span<uint8_t> out, uint64_t offset) override {
    if (auto ok = enter(faults.read); !ok) return std::unexpected(ok.error());
    const std::string& data = node(fd).data;
    if (offset >= data.size()) return std::size_t{0};
    std::size_t n = std::min<std::size_t>(out.size(), data.size() - offset);
    if (faults.read > 0 && n > 1 && pick(4) == 0) n = 1 + pick(n - 1);  // short reads are no faults
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }
  IoResult<> sync(int fd) override {
    if (auto ok = enter(); !ok) return ok;
    Node& n = node(fd);
    if (happens(faults.sync)) {
      n.lost.insert(n.lost.end(), n.dirty.begin(), n.dirty.end());
      n.dirty.clear();
      return std::unexpected(EIO);
    }
    for (const auto& [from, to] : n.dirty) persist(n, from, to);
    n.dirty.clear();
    return {};
  }
  IoResult<uint64_t> size(int fd) override {
    if (auto ok = enter(faults.read); !ok) return std::unexpected(ok.error());
    return node(fd).data.size();
  }
  IoResult<int> lock(const std::string& path) override {
    if (locks_.contains(base(path))) return std::unexpected(EWOULDBLOCK);
    IoResult<int> fd = open_update(path);
    if (fd) locks_[base(path)] = *fd;
    return fd;
  }
  uint64_t random_id() override { return random_() | 1; }

 private:
  struct Node {
    std::string data;                                        // what programs see
    std::string disk;                                        // what a power cut leaves
    std::vector<std::pair<std::size_t, std::size_t>> dirty;  // ranges that no sync has covered
    std::vector<std::pair<std::size_t, std::size_t>> lost;   // that a failed sync has given up
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  static std::string base(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  std::size_t pick(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  bool happens(int per_thousand) {
    return per_thousand > 0 && pick(1000) < static_cast<std::size_t>(per_thousand);
  }
  IoResult<> enter(int per_thousand = 0) {
    if (dead()) return std::unexpected(EIO);
    ++calls;
    if (dead() || happens(per_thousand)) return std::unexpected(EIO);
    return {};
  }
  int open(std::shared_ptr<Node> node) {
    open_[++last_fd_] = std::move(node);
    return last_fd_;
  }
  Node& node(int fd) { return *open_.at(fd); }
  static void put(Node& node, Bytes bytes, std::size_t offset) {
    if (node.data.size() < offset + bytes.size()) node.data.resize(offset + bytes.size(), '\0');
    std::copy(bytes.begin(), bytes.end(), node.data.begin() + static_cast<std::ptrdiff_t>(offset));
    if (!bytes.empty()) node.dirty.emplace_back(offset, offset + bytes.size());
  }
  static void persist(Node& node, std::size_t from, std::size_t to) {
    to = std::min(to, node.data.size());
    if (from >= to) return;
    if (node.disk.size() < to) node.disk.resize(to, '\0');
    std::copy(node.data.begin() + static_cast<std::ptrdiff_t>(from),
              node.data.begin() + static_cast<std::ptrdiff_t>(to),
              node.disk.begin() + static_cast<std::ptrdiff_t>(from));
  }
  // Unsynced sectors make it or not, one by one; the names of the directory too.
  void cut_power() {
    constexpr std::size_t kSector = 512;
    Names after;
    for (const auto& [name, node] : on_disk_) {
      if (visible_.contains(name) || pick(2) == 0)
        after[name] = node;  // an unlink that was not synced may be undone
    }
    for (const auto& [name, node] : visible_) {
      if (!after.contains(name) && pick(2) == 0) after[name] = node;
    }
    for (auto& [name, node] : after) {
      for (const auto* ranges : {&node->dirty, &node->lost}) {
        for (const auto& [from, to] : *ranges) {
          for (std::size_t at = from / kSector * kSector; at < to; at += kSector) {
            if (pick(2) == 0) persist(*node, std::max(at, from), std::min(at + kSector, to));
          }
        }
      }
      node->data = node->disk;
      node->dirty.clear();
      node->lost.clear();
    }
    visible_ = after;
    on_disk_ = after;
  }

  std::mt19937_64 random_;
  Names visible_;
  Names on_disk_;
  std::map<int, std::shared_ptr<Node>> open_;
  std::map<std::string, int> locks_;
  int last_fd_ = 0;
};

}  // namespace vong::spool
