#include "sensor/applayer/http/config.h"

#include <algorithm>

#include "base/strings.h"

namespace vong::http {
namespace {

void apply_personality(ServerConfig& c, std::string_view name) {
  const std::string p = to_lower(name);
  const bool windows = p.starts_with("iis") || p == "ids";
  c.backslash_is_slash = windows;
  c.decode_u = windows;
  c.decode_separators = windows;
  c.utf8_best_fit = windows;
  c.compress_separators = p != "minimal" && p != "generic";
}

ServerConfig read_server(const Settings& s, const std::string& at, ServerConfig c) {
  const auto size = [&](const char* key, auto& value) {
    value = s.size_bytes(at + "." + key, value);
  };
  const auto flag = [&](const char* key, bool& value) { value = s.flag(at + "." + key, value); };
  if (const auto name = s.get(at + ".personality")) apply_personality(c, *name);
  size("request-body-limit", c.request_body_limit);
  size("response-body-limit", c.response_body_limit);
  size("request-body-minimal-inspect-size", c.request_body_inspect_min);
  size("response-body-minimal-inspect-size", c.response_body_inspect_min);
  size("request-body-inspect-window", c.request_body_inspect_window);
  size("response-body-inspect-window", c.response_body_inspect_window);
  size("lzma-memlimit", c.lzma_memory_max);
  size("compression-bomb-limit", c.bomb_bytes_min);
  c.response_layers_max = static_cast<int>(
      s.integer(at + ".response-body-decompress-layer-limit", c.response_layers_max));
  c.transactions_max =
      static_cast<size_t>(s.integer(at + ".max-tx", static_cast<int64_t>(c.transactions_max)));
  c.headers_max = static_cast<uint32_t>(s.integer(at + ".headers-limit", c.headers_max));
  size("meta-field-limit", c.field_bytes_max);
  flag("lzma-enabled", c.lzma);
  flag("double-decode-path", c.double_decode_path);
  flag("double-decode-query", c.double_decode_query);
  flag("uri-include-all", c.uri_include_all);
  flag("query-plusspace-decode", c.query_plus_is_space);
  flag("allow-space-uri", c.allow_space_uri);
  // Bounds whatever was written: the dictionary of LZMA, and a window that files share.
  c.lzma_memory_max = std::clamp<uint64_t>(c.lzma_memory_max, 4096, uint64_t{256} << 20);
  return c;
}

}  // namespace

std::shared_ptr<const HttpConfig> make_http_config(const Settings& settings) {
  auto config = std::make_shared<HttpConfig>();
  const std::string root = "app-layer.protocols.http.libhtp.";
  config->defaults = read_server(settings, root + "default-config", ServerConfig());
  const std::string servers = root + "server-config";
  for (const std::string& n : settings.children(servers)) {
    for (const std::string& name : settings.children(servers + "." + n)) {
      const std::string at = servers + "." + n + "." + name;
      const ServerConfig server = read_server(settings, at, config->defaults);
      const auto add = [&](std::string_view text) {
        if (const auto prefix = IpPrefix::parse(strip(text)))
          config->servers.insert(*prefix, server);
      };
      if (const auto one = settings.get(at + ".address")) add(*one);
      for (const std::string& a : settings.children(at + ".address")) {
        add(settings.text(at + ".address." + a, ""));
      }
    }
  }
  config->files = applayer::file_options(settings);
  config->files.window_bytes =
      std::max(config->defaults.response_body_limit, config->defaults.request_body_limit);
  if (config->files.window_bytes == 0 || config->files.window_bytes > (uint64_t{16} << 20))
    config->files.window_bytes = 1 << 20;
  config->ranges->set_limits(range_limits(settings));
  return config;
}

}  // namespace vong::http
