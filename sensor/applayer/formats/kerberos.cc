#include "sensor/applayer/formats/kerberos.h"

#include <initializer_list>

#include "base/byte_reader.h"
#include "sensor/applayer/formats/der.h"

namespace vong::formats::kerberos {
namespace {

constexpr size_t kEncryptionsMax = 256;

std::optional<int32_t> number(Bytes data) {
  const auto v = der_integer(data);
  if (!v || *v < INT32_MIN || *v > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*v);
}

std::string text(Bytes data) {
  const auto e = first_der(data);
  return e ? std::string(as_text(e->content)) : std::string();
}

constexpr uint32_t bits(std::initializer_list<uint32_t> tags) {
  uint32_t out = 0;
  for (const uint32_t tag : tags) out |= 1U << tag;
  return out;
}

// Fields without which a message is none (RFC 4120 5.4.1, 5.4.2, 5.9.1), by context tag.
constexpr uint32_t kRequestFields = bits({1, 2, 4}), kRequestBodyFields = bits({0, 2, 5, 7, 8});
constexpr uint32_t kReplyFields = bits({0, 1, 3, 4, 5, 6}),
                   kErrorFields = bits({0, 1, 4, 5, 6, 9, 10});

// Calls f(context tag, content) for each field of a SEQUENCE. False: it is none, or lacks one of
// `required`.
template <typename F>
bool fields(Bytes sequence, F f, uint32_t required = 0) {
  const auto body = der_sequence(sequence);
  if (!body) return false;
  ByteReader in(body->content);
  while (!in.empty()) {
    const auto e = read_der(in);
    if (!e) return false;
    if (e->tag_class != DerClass::kContext) continue;
    if (e->tag < 32) required &= ~(1U << e->tag);
    f(e->tag, e->content);
  }
  return required == 0;
}

std::optional<Principal> principal(Bytes data) {
  Principal p;
  const bool ok = fields(data, [&](uint32_t tag, Bytes content) {
    if (tag == 0) p.type = number(content).value_or(0);
    if (tag != 1) return;
    const auto list = der_sequence(content);
    if (!list) return;
    ByteReader in(list->content);
    while (!in.empty() && p.parts.size() < kNamePartsMax) {
      const auto e = read_der(in);
      if (!e) break;
      p.parts.emplace_back(as_text(e->content));
    }
  });
  if (!ok) return std::nullopt;
  return p;
}

std::optional<int32_t> encryption_of(Bytes encrypted_data) {
  std::optional<int32_t> out;
  (void)fields(encrypted_data, [&](uint32_t tag, Bytes content) {
    if (tag == 0) out = number(content);
  });
  return out;
}

std::optional<Ticket> ticket(Bytes data) {
  const auto app = first_der(data);
  if (!app || !app->is(DerClass::kApplication, 1)) return std::nullopt;
  Ticket t;
  const bool ok = fields(app->content, [&](uint32_t tag, Bytes content) {
    if (tag == 1) t.realm = text(content);
    if (tag == 2) t.service = principal(content).value_or(Principal{});
    if (tag == 3) t.encryption = encryption_of(content);
  });
  if (!ok) return std::nullopt;
  return t;
}

bool request_body(Bytes data, Message& m) {
  return fields(
      data,
      [&](uint32_t tag, Bytes content) {
        if (tag == 1) m.client = principal(content);
        if (tag == 2) m.realm = text(content);
        if (tag == 3) m.service = principal(content);
        if (tag != 8) return;
        const auto list = der_sequence(content);
        if (!list) return;
        ByteReader in(list->content);
        while (!in.empty() && m.encryptions.size() < kEncryptionsMax) {
          const Bytes rest = in.peek();
          const auto e = read_der(in);
          if (!e) break;
          if (const auto n = number(rest)) m.encryptions.push_back(*n);
        }
      },
      kRequestBodyFields);
}

bool request(Bytes data, Message& m) {
  bool body = false;
  const bool ok = fields(
      data,
      [&](uint32_t tag, Bytes content) {
        if (tag == 4) body = request_body(content, m);
      },
      kRequestFields);
  return ok && body;
}

bool reply(Bytes data, Message& m) {
  return fields(
      data,
      [&](uint32_t tag, Bytes content) {
        if (tag == 3) m.realm = text(content);
        if (tag == 4) m.client = principal(content);
        if (tag == 5) {
          if (auto t = ticket(content)) {
            m.service = std::move(t->service);
            m.ticket_encryption = t->encryption;
          }
        }
        if (tag == 6) m.encryption = encryption_of(content);
      },
      kReplyFields);
}

bool error(Bytes data, Message& m) {
  return fields(
      data,
      [&](uint32_t tag, Bytes content) {
        if (tag == 6) m.error_code = number(content);
        if (tag == 7) m.realm = text(content);
        if (tag == 8) m.client = principal(content);
        if (tag == 10) m.service = principal(content);
      },
      kErrorFields);
}

bool application_request(Bytes data, Message& m) {
  return fields(data, [&](uint32_t tag, Bytes content) {
    if (tag == 3) m.ticket = ticket(content);
  });
}

}  // namespace

std::string Principal::text() const {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out.push_back('/');
    out.append(part);
  }
  return out;
}

std::optional<Message> parse(Bytes data) {
  const auto app = first_der(data);
  if (!app || app->tag_class != DerClass::kApplication || app->tag > kError) return std::nullopt;
  Message m;
  m.type = static_cast<uint8_t>(app->tag);
  bool ok = false;
  switch (m.type) {
    case kAsReq:
    case kTgsReq:
      ok = request(app->content, m);
      break;
    case kAsRep:
    case kTgsRep:
      ok = reply(app->content, m);
      break;
    case kError:
      ok = error(app->content, m);
      break;
    case kApReq:
      ok = application_request(app->content, m);
      if (m.ticket) m.ticket_encryption = m.ticket->encryption;
      break;
    case kApRep:
      ok = true;
      break;
    default:
      break;
  }
  if (!ok) return std::nullopt;
  return m;
}

}  // namespace vong::formats::kerberos
