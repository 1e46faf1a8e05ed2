#include "sensor/detect/buffer_catalog.h"

#include <algorithm>

#include "base/string_map.h"
#include "sensor/applayer/core/file.h"

namespace vong::detect {

using applayer::BufferDef;
using applayer::BufferView;

namespace {

Bytes if_any(bool yes, Bytes b) { return yes ? b : Bytes(); }

constexpr PacketBufferDef kPacketBuffers[] = {
    {"tcp.hdr", "", [](const Packet& p) { return if_any(p.is_tcp, p.transport_header); }, "TCP header with options"},
    {"udp.hdr", "", [](const Packet& p) { return if_any(p.is_udp, p.transport_header); }, "UDP header"},
    {"sctp.hdr", "", [](const Packet& p) { return if_any(p.is_sctp, p.transport_header); }, "SCTP common header"},
    {"ipv4.hdr", "", [](const Packet& p) { return if_any(p.ip.version == 4, p.ip_header); }, "IPv4 header with options"},
    {"ipv6.hdr", "", [](const Packet& p) { return if_any(p.ip.version == 6, p.ip_header); }, "IPv6 header"},
    {"icmpv4.hdr", "", [](const Packet& p) { return if_any(p.is_icmp4, p.transport_header); }, "ICMPv4 header"},
    {"icmpv6.hdr", "", [](const Packet& p) { return if_any(p.is_icmp6, p.transport_header); }, "ICMPv6 header"},
    {"igmp.hdr", "", [](const Packet& p) { return if_any(p.ip.version == 4 && p.ip.protocol == 2, p.ip_payload); }, "IGMP message"},
    {"ether.hdr", "", [](const Packet& p) { return p.ethernet == nullptr ? Bytes() : Bytes(p.ethernet, 14); }, "Ethernet header"},
    {"ip.src", "", [](const Packet& p) { return p.src.bytes(); }, "source address, for data sets", true},
    {"ip.dst", "", [](const Packet& p) { return p.dst.bytes(); }, "destination address, for data sets", true},
};

bool here(uint8_t progress) { return progress != BufferDef::kNotHere; }

template <typename Name, typename Def>
Name* entry(std::vector<std::unique_ptr<Name>>& all, StringMap<Name*>& by_name, const Def& def) {
  const auto it = by_name.find(def.name);
  if (it != by_name.end()) return it->second;
  all.push_back(std::make_unique<Name>());
  all.back()->name = def.name;
  by_name.emplace(std::string(def.name), all.back().get());
  return all.back().get();
}

// Instance i of a file's fact; a file without it is passed over, but keeps its place.
template <std::string applayer::File::* Fact>
BufferView file_fact(const applayer::Transaction& tx, Direction d, uint32_t i, applayer::BufferScratch&) {
  const applayer::FileContainer* files = tx.files(d);
  if (files == nullptr || i >= files->files().size()) return BufferView::none();
  return BufferView::of(std::string_view(files->files()[i].*Fact));
}

// What a protocol with files has for rules about them, besides what its own table says.
std::vector<BufferDef> file_buffers_of(const applayer::ProtocolDef& p) {
  const auto named = [&](std::string_view name) {
    return std::find_if(p.buffers.begin(), p.buffers.end(), [&](const BufferDef& d) { return d.name == name; });
  };
  const auto data = named("file.data");
  std::vector<BufferDef> result;
  if (data == p.buffers.end()) return result;
  const auto add = [&](std::string_view name, applayer::BufferGetter get, std::string_view help) {
    if (named(name) != p.buffers.end()) return;
    result.push_back({name, "", "", 0, data->to_server_progress, data->to_client_progress, get, true, false, help});
  };
  add("file.name", file_fact<&applayer::File::name>, "Names of files");
  add("file.magic", file_fact<&applayer::File::magic>, "Types of files, as libmagic tells them");
  return result;
}

}  // namespace

std::span<const PacketBufferDef> packet_buffers() { return kPacketBuffers; }

Catalog::Catalog(std::span<const applayer::ProtocolDef* const> all) : protocols_(all) {
  for (const PacketBufferDef& def : kPacketBuffers) {
    BufferName* b = entry(buffers_, buffer_by_name_, def);
    b->packet = &def;
    names_.push_back(def.name);
  }
  const auto add_buffer = [this](size_t id, const BufferDef& def) {
    BufferName* b = entry(buffers_, buffer_by_name_, def);
    b->by_proto[id] = &def;
    b->to_server |= here(def.to_server_progress);
    b->to_client |= here(def.to_client_progress);
    b->multi |= def.multi;
    names_.push_back(def.name);
    if (!def.alias.empty()) {
      buffer_by_name_.emplace(std::string(def.alias), b);
      names_.push_back(def.alias);
    }
    if (!def.modifier.empty()) {
      modifier_by_name_.emplace(std::string(def.modifier), b);
      names_.push_back(def.modifier);
    }
    const auto flag = static_cast<unsigned char>(def.pcre_flag);
    if (flag != 0 && flag < by_pcre_flag_.size()) by_pcre_flag_[flag] = b;
  };
  for (const applayer::ProtocolDef* p : all) {
    const auto id = static_cast<size_t>(p->id);
    by_id_[id] = p;
    protocol_by_name_.emplace(std::string(p->name), p);
    if (!p->rule_alias.empty()) protocol_by_name_.emplace(std::string(p->rule_alias), p);
    for (const BufferDef& def : p->buffers) add_buffer(id, def);
    for (const BufferDef& def : file_buffers_of(*p)) {
      file_buffers_.push_back(std::make_unique<const BufferDef>(def));
      add_buffer(id, *file_buffers_.back());
    }
    const auto add_frame = [&](std::string_view name, uint8_t type) {
      BufferName*& f = frame_by_name_[std::string(name)];
      if (f == nullptr) {
        buffers_.push_back(std::make_unique<BufferName>());
        f = buffers_.back().get();
        f->name = name;
        f->frame = true;
        f->by_frame.fill(-1);
      }
      f->by_frame[id] = type;
    };
    for (size_t i = 0; i < p->frames.size(); ++i) add_frame(p->frames[i], static_cast<uint8_t>(i));
    if (!p->frames.empty()) add_frame("stream", applayer::kStreamFrame);
    for (const applayer::NumberDef& def : p->numbers) {
      NumberName* n = entry(numbers_, number_by_name_, def);
      n->by_proto[id] = &def;
      if (n->first == nullptr) n->first = &def;
      n->to_server |= here(def.to_server_progress);
      n->to_client |= here(def.to_client_progress);
      names_.push_back(def.name);
      if (!def.alias.empty()) number_by_name_.emplace(std::string(def.alias), n);
    }
    for (const applayer::MatcherDef& def : p->matchers) {
      MatcherName* m = entry(matchers_, matcher_by_name_, def);
      m->by_proto[id] = &def;
      if (m->first == nullptr) m->first = &def;
      m->to_server |= here(def.to_server_progress);
      m->to_client |= here(def.to_client_progress);
      names_.push_back(def.name);
      if (!def.alias.empty()) matcher_by_name_.emplace(std::string(def.alias), m);
    }
  }
}

namespace {
template <typename Map>
auto* look_up(const Map& map, std::string_view name) {
  const auto it = map.find(name);
  return it == map.end() ? nullptr : it->second;
}
}  // namespace

const BufferName* Catalog::buffer(std::string_view keyword) const { return look_up(buffer_by_name_, keyword); }
const BufferName* Catalog::modifier(std::string_view keyword) const { return look_up(modifier_by_name_, keyword); }
const BufferName* Catalog::pcre_flag(char flag) const {
  const auto i = static_cast<unsigned char>(flag);
  return i < by_pcre_flag_.size() ? by_pcre_flag_[i] : nullptr;
}
const NumberName* Catalog::number(std::string_view keyword) const { return look_up(number_by_name_, keyword); }
const MatcherName* Catalog::matcher(std::string_view keyword) const { return look_up(matcher_by_name_, keyword); }
const BufferName* Catalog::frame(std::string_view name) const { return look_up(frame_by_name_, name); }
const applayer::ProtocolDef* Catalog::protocol(std::string_view name) const { return look_up(protocol_by_name_, name); }

const Catalog& Catalog::standard() {
  static const auto* const catalog = new Catalog(applayer::protocols());
  return *catalog;
}

}  // namespace vong::detect
