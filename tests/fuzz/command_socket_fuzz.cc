// The command socket: whatever a client sends, in whatever pieces (the first byte says their size), every command comes to the handler once.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sensor/control/command_server.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vong::control::Answer;
  if (size == 0) return 0;
  const size_t piece = data[0] + size_t{1};
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  vong::control::Session session;
  size_t commands = 0;
  std::string out;
  const auto handler = [&](std::string_view command, const vong::control::Arguments& arguments) {
    ++commands;
    return Answer::text(arguments.text("filename").value_or(command), !arguments.flag("continuous") && arguments.number("tenant").value_or(0) >= 0);
  };
  while (!rest.empty() && session.feed(rest.substr(0, piece), handler, out)) rest.remove_prefix(std::min(piece, rest.size()));
  if (commands > size / 2) std::abort();
  return 0;
}
