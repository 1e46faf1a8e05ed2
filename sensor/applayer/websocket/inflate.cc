#include "sensor/applayer/websocket/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace vong::websocket {

struct MessageInflater::State {
  z_stream z{};
  bool open = false;

  State() { open = inflateInit2(&z, -15) == Z_OK; }
  ~State() {
    if (open) inflateEnd(&z);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // False: cannot be read further.
  bool run(std::string_view in, size_t bytes_max, std::string& out) {
    std::array<char, 4096> buffer;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    z.avail_in = static_cast<uInt>(in.size());
    while (out.size() < bytes_max) {
      z.next_out = reinterpret_cast<Bytef*>(buffer.data());
      z.avail_out = static_cast<uInt>(std::min(buffer.size(), bytes_max - out.size()));
      const size_t room = z.avail_out;
      const int rc = inflate(&z, Z_SYNC_FLUSH);
      out.append(buffer.data(), room - z.avail_out);
      if (rc == Z_STREAM_END)
        return false;  // the last block of a stream: the next message starts anew
      if (rc != Z_OK && rc != Z_BUF_ERROR) return false;
      if (z.avail_out != 0) return true;  // all input used
    }
    return z.avail_in == 0;
  }
};

MessageInflater::MessageInflater() : state_(std::make_unique<State>()) {}
MessageInflater::~MessageInflater() = default;

std::string MessageInflater::message(std::string_view compressed, size_t bytes_max) {
  // Senders leave out the four bytes that end every flush (section 7.2.1).
  static constexpr std::string_view kFlushEnd("\x00\x00\xff\xff", 4);
  std::string out;
  if (!state_->open) return out;
  const bool good =
      state_->run(compressed, bytes_max, out) && state_->run(kFlushEnd, bytes_max, out);
  if (!good) inflateReset(&state_->z);
  return out;
}

}  // namespace vong::websocket
