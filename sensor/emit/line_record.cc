#include "sensor/emit/line_record.h"

#include <array>
#include <ctime>

#include "base/timestamp.h"
#include "fmt/format.h"

namespace vong::emit {
namespace {

constexpr size_t kLineBytesMax = 64 * 1024;
constexpr std::string_view kTimeFormat = "%D-%H:%M:%S";

std::string time_text(const std::string& format, Timestamp ts) {
  const std::time_t seconds = to_ns(ts) / 1'000'000'000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 256> out;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const size_t n = std::strftime(out.data(), out.size(), format.c_str(), &utc);
#pragma GCC diagnostic pop
  return {out.data(), n};
}

// Codes that all protocols have; false: it is none of them.
bool common_field(const flow::Flow& flow, Timestamp ts, char code, std::string_view argument, std::string& out) {
  switch (code) {
    case 't': out.append(time_text(std::string(argument.empty() ? kTimeFormat : argument), ts)); return true;
    case 'z': out.append(fmt::format("{:06}", to_ns(ts) / 1000 % 1'000'000)); return true;
    case 'a': out.append(flow.key.src.to_string()); return true;
    case 'p': out.append(fmt::format("{}", flow.key.sport)); return true;
    case 'A': out.append(flow.key.dst.to_string()); return true;
    case 'P': out.append(fmt::format("{}", flow.key.dport)); return true;
    case '%': out.push_back('%'); return true;
    default: return false;
  }
}

void custom_line(const LineForm& form, const flow::Flow& flow, Timestamp ts, const applayer::Transaction& tx, std::string& out) {
  std::string value;
  std::string_view rest = form.custom;
  while (!rest.empty()) {
    const size_t at = rest.find('%');
    out.append(rest.substr(0, at));
    if (at == rest.npos) return;
    rest.remove_prefix(at + 1);
    std::string_view argument;
    if (rest.starts_with('{')) {
      const size_t end = rest.find('}');
      if (end == rest.npos) return;
      argument = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
    }
    if (rest.empty()) return;
    const char code = rest.front();
    rest.remove_prefix(1);
    value.clear();
    if (common_field(flow, ts, code, argument, value)) {
      out.append(value);
    } else if (form.def->field(tx, code, argument, value)) {
      append_printable(out, value);
    }
  }
}

void append_ends(std::string& out, const flow::Flow& flow) {
  fmt::format_to(std::back_inserter(out), "{}:{} -> {}:{}", flow.key.src.to_string(), flow.key.sport, flow.key.dst.to_string(), flow.key.dport);
}

}  // namespace

// EVE's 2024-01-31T12:00:00.000001+0000, turned round.
void append_line_time(std::string& out, Timestamp ts) {
  const std::string time = format_eve_time(ts);
  const std::string_view t = time;
  out.append(t.substr(5, 2)).append("/").append(t.substr(8, 2)).append("/").append(t.substr(0, 4)).append("-").append(t.substr(11, 15));
}

void append_printable(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) out.push_back(c);
    else fmt::format_to(std::back_inserter(out), "|{:02X}|", static_cast<uint8_t>(c));
  }
}

void write_line_record(LineSink& sink, const LineForm& form, const flow::Flow& flow, Timestamp ts, const applayer::Transaction& tx) {
  if (!form.def->wants(tx)) return;
  thread_local std::string line, text;
  line.clear();
  if (!form.custom.empty()) {
    custom_line(form, flow, ts, tx, line);
  } else {
    text.clear();
    form.def->standard(tx, form.extended, text);
    append_line_time(line, ts);
    line.push_back(' ');
    if (form.def->ends_first) {
      append_ends(line, flow);
      line.append("  ");
    }
    append_printable(line, text);
    if (!form.def->ends_first) {
      line.append(" [**] ");
      append_ends(line, flow);
    }
  }
  if (line.size() > kLineBytesMax) line.resize(kLineBytesMax);
  sink.line(line, {form.def->output, 3, flow.id});
}

}  // namespace vong::emit
