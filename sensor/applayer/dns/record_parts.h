// Pieces that the EVE records of DNS and its relatives share.
#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "sensor/applayer/dns/message.h"

namespace vong::dns {

// "key":"www.example.org", and "key_truncated":true when it was cut.
void write_name(std::string_view key, const Name& name, JsonWriter& out);

// Dotted quad, or eight groups of four digits; empty for any other size.
[[nodiscard]] std::string address_text(std::string_view bytes);

// One object: rrname, rrtype, ttl and the value in the form that the type has. TXT: one object for
// each of its strings.
void write_record(const Record& record, JsonWriter& out);

// True for the types whose values stand in the grouped form; write_values writes them into an open
// array.
[[nodiscard]] bool has_value(const Record& record);
void write_values(const Record& record, JsonWriter& out);

}  // namespace vong::dns
