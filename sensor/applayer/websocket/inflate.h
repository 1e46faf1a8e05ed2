// permessage-deflate (RFC 7692): raw deflate whose window lives on from message to message.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vong::websocket {

class MessageInflater {
 public:
  MessageInflater();
  ~MessageInflater();

  // The message in the clear, at most `bytes_max` of it. Nothing comes out of what cannot be read;
  // the state then starts anew. Cost: linear in input and `bytes_max`.
  [[nodiscard]] std::string message(std::string_view compressed, size_t bytes_max);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vong::websocket
