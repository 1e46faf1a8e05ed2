// What stands in calls and answers of the three versions.
#include <algorithm>

#include "sensor/applayer/nfs/parser.h"

namespace vong::nfs {
namespace {

constexpr size_t kHandle2Bytes = 32, kAttributes2Bytes = 68, kAttributes3Bytes = 84;

std::string handle2(ByteReader& in) { return std::string(as_text(in.bytes(kHandle2Bytes))); }
std::string handle(ByteReader& in) {
  return std::string(as_text(read_opaque(in, kMaxHandleBytes)));
}

void skip_attributes3(ByteReader& in) {
  if (in.u32() != 0) in.skip(kAttributes3Bytes);
}

// `size` bytes, or as many as there are: of a record that is not whole yet.
Bytes data_of(ByteReader& in, uint64_t size) {
  return in.bytes(std::min<uint64_t>(size, in.remaining()));
}

}  // namespace

// ---------------------------------------------------------------- version 2

std::optional<NfsParser::Arguments> NfsParser::arguments2(ByteReader& in, uint32_t procedure) {
  enum : uint32_t {
    kNull = 0,
    kRoot = 3,
    kLookup = 4,
    kRead = 6,
    kWriteCache = 7,
    kCreate = 9,
    kRemove = 10,
    kRename = 11,
    kLink = 12,
    kSymlink = 13,
    kMkdir = 14,
    kRmdir = 15
  };
  Arguments a;
  a.procedure = procedure;
  if (procedure == kNull || procedure == kRoot || procedure == kWriteCache) return a;
  a.handle = handle2(in);
  switch (procedure) {
    case kLookup:
    case kCreate:
    case kRemove:
    case kSymlink:
    case kMkdir:
    case kRmdir:
      a.name = read_name(in);
      break;
    case kRename:
      a.name = read_name(in);
      in.skip(kHandle2Bytes);
      a.new_name = read_name(in);
      a.rename = true;
      break;
    case kLink:
      in.skip(kHandle2Bytes);
      a.name = read_name(in);
      break;
    case kRead:
      a.offset = in.u32();
      break;
    default:  // what is written is not put together: version 2 never says that a file is complete
      break;
  }
  if (!in.ok()) return std::nullopt;
  return a;
}

void NfsParser::results2(ByteReader& in, const OpenCall& call, Results& r) {
  enum : uint32_t { kLookup = 4, kRead = 6, kCreate = 9, kMkdir = 14 };
  if (in.remaining() < 4) return;
  r.status = in.u32();
  if (*r.status != 0) return;
  if (call.procedure == kLookup || call.procedure == kCreate || call.procedure == kMkdir) {
    const Bytes h = in.bytes(kHandle2Bytes);
    if (in.ok()) name_handle(h, call.name);
  } else if (call.procedure == kRead) {
    ByteReader attributes(in.bytes(kAttributes2Bytes));
    attributes.skip(20);
    const uint32_t file_bytes = attributes.u32();
    Part p;
    p.size = in.u32();
    if (!in.ok()) return;
    p.data = data_of(in, p.size);
    r.end_of_file = call.offset + p.size >= file_bytes;
    r.read = std::move(p);
  }
}

// ---------------------------------------------------------------- version 3

std::optional<NfsParser::Arguments> NfsParser::arguments3(ByteReader& in, uint32_t procedure) {
  enum : uint32_t {
    kNull = 0,
    kLookup = 3,
    kRead = 6,
    kWrite = 7,
    kCreate = 8,
    kMkdir = 9,
    kSymlink = 10,
    kMknod = 11,
    kRemove = 12,
    kRmdir = 13,
    kRename = 14,
    kLink = 15
  };
  Arguments a;
  a.procedure = procedure;
  if (procedure == kNull) return a;
  a.handle = handle(in);
  switch (procedure) {
    case kLookup:
    case kCreate:
    case kMkdir:
    case kSymlink:
    case kMknod:
    case kRemove:
    case kRmdir:
      a.name = read_name(in);
      break;
    case kRename:
      a.name = read_name(in);
      (void)handle(in);
      a.new_name = read_name(in);
      a.rename = true;
      break;
    case kLink:
      (void)handle(in);
      a.name = read_name(in);
      break;
    case kRead:
      a.offset = in.u64();
      break;
    case kWrite: {
      Part w;
      w.offset = in.u64();
      in.skip(8);
      w.size = in.u32();
      w.handle = a.handle;
      w.data = data_of(in, w.size);
      a.write = std::move(w);
      break;
    }
    default:
      break;
  }
  if (!in.ok()) return std::nullopt;
  return a;
}

void NfsParser::results3(ByteReader& in, const OpenCall& call, Results& r) {
  enum : uint32_t { kLookup = 3, kRead = 6, kCreate = 8, kMkdir = 9, kReaddirPlus = 17 };
  if (in.remaining() < 4) return;
  r.status = in.u32();
  if (*r.status != 0) return;
  switch (call.procedure) {
    case kLookup: {
      const Bytes h = read_opaque(in, kMaxHandleBytes);
      if (in.ok()) name_handle(h, call.name);
      break;
    }
    case kCreate:
    case kMkdir: {
      if (in.u32() == 0) break;
      const Bytes h = read_opaque(in, kMaxHandleBytes);
      if (in.ok()) name_handle(h, call.name);
      break;
    }
    case kRead: {
      skip_attributes3(in);
      in.skip(4);
      r.end_of_file = in.u32() != 0;
      Part p;
      p.size = in.u32();
      if (!in.ok()) break;
      p.data = data_of(in, p.size);
      r.read = std::move(p);
      break;
    }
    case kReaddirPlus:
      directory3(in);
      break;
    default:
      break;
  }
}

void NfsParser::directory3(ByteReader& in) {
  skip_attributes3(in);
  in.skip(8);  // cookie verifier
  for (size_t i = 0; i < kMaxDirectoryEntries && in.ok() && in.u32() != 0; ++i) {
    in.skip(8);
    const std::string name = read_name(in);
    in.skip(8);
    skip_attributes3(in);
    if (in.u32() == 0) continue;
    const Bytes h = read_opaque(in, kMaxHandleBytes);
    if (in.ok() && name != "." && name != "..") name_handle(h, name);
  }
}

// ---------------------------------------------------------------- version 4

namespace {

enum Op : uint32_t {
  kOpAccess = 3,
  kOpClose = 4,
  kOpCommit = 5,
  kOpCreate = 6,
  kOpGetattr = 9,
  kOpGetfh = 10,
  kOpLink = 11,
  kOpLookup = 15,
  kOpLookupp = 16,
  kOpOpen = 18,
  kOpOpenConfirm = 20,
  kOpPutfh = 22,
  kOpPutpubfh = 23,
  kOpPutrootfh = 24,
  kOpRead = 25,
  kOpReaddir = 26,
  kOpReadlink = 27,
  kOpRemove = 28,
  kOpRename = 29,
  kOpRenew = 30,
  kOpRestorefh = 31,
  kOpSavefh = 32,
  kOpSetclientid = 35,
  kOpSetclientidConfirm = 36,
  kOpWrite = 38,
  kOpExchangeId = 42,
  kOpCreateSession = 43,
  kOpDestroySession = 44,
  kOpSequence = 53,
  kOpDestroyClientid = 57,
  kOpReclaimComplete = 58
};

constexpr size_t kStateidBytes = 16;

void skip_bitmap(ByteReader& in) {
  const uint32_t words = in.u32();
  in.skip(size_t{4} * std::min<uint32_t>(words, 64));
}

// Operations that only prepare the one that the compound is about.
bool is_auxiliary(uint32_t op) {
  switch (op) {
    case kOpAccess:
    case kOpGetattr:
    case kOpGetfh:
    case kOpPutfh:
    case kOpPutpubfh:
    case kOpPutrootfh:
    case kOpRestorefh:
    case kOpSavefh:
    case kOpSequence:
      return true;
    default:
      return false;
  }
}

// The arguments of an operation that nothing is taken from. False: what follows cannot be found.
bool skip_arguments4(ByteReader& in, uint32_t op) {
  switch (op) {
    case kOpPutpubfh:
    case kOpPutrootfh:
    case kOpGetfh:
    case kOpSavefh:
    case kOpRestorefh:
    case kOpLookupp:
    case kOpReadlink:
      return true;
    case kOpAccess:
    case kOpReclaimComplete:
      return in.skip(4);
    case kOpGetattr:
      skip_bitmap(in);
      return in.ok();
    case kOpRenew:
    case kOpDestroyClientid:
      return in.skip(8);
    case kOpSequence:
      return in.skip(16 + 16);
    case kOpDestroySession:
      return in.skip(16);
    case kOpOpenConfirm:
      return in.skip(kStateidBytes + 4);
    case kOpReaddir:
      in.skip(8 + 8 + 8);
      skip_bitmap(in);
      return in.ok();
    default:
      return false;
  }
}

// OPEN's arguments up to its claim; the name when it is claimed by name.
std::string open_name(ByteReader& in) {
  in.skip(4 + 4 + 4 + 8);
  (void)read_opaque(in, 1024);  // owner
  if (in.u32() == 1) {          // create
    const uint32_t mode = in.u32();
    if (mode == 2 || mode == 3) in.skip(8);
    if (mode == 0 || mode == 1 || mode == 3) {
      skip_bitmap(in);
      (void)read_opaque(in, 64 * 1024);
    }
  }
  return in.u32() == 0 ? read_name(in) : std::string();
}

}  // namespace

// A compound is told by its last operation that is not auxiliary.
std::optional<NfsParser::Arguments> NfsParser::arguments4(ByteReader& in) {
  Arguments a;
  if (in.empty()) return a;  // NULL
  (void)read_opaque(in, 1024);
  in.skip(4);
  const uint32_t count = in.u32();
  if (!in.ok()) return std::nullopt;
  std::string current;
  bool more = true;
  for (uint32_t i = 0; more && i < std::min<size_t>(count, kMaxOperations) && !in.empty(); ++i) {
    const uint32_t op = in.u32();
    if (!in.ok()) break;
    if (!is_auxiliary(op) || a.procedure == 0) {
      a.procedure = op;
      a.handle = current;
    }
    switch (op) {
      case kOpPutfh:
        current = handle(in);
        a.handle = current;
        break;
      case kOpLookup:
      case kOpRemove:
        a.name = read_name(in);
        break;
      case kOpRename:
        a.name = read_name(in);
        a.new_name = read_name(in);
        a.rename = true;
        break;
      case kOpOpen:
        a.name = open_name(in);
        break;
      case kOpRead:
        in.skip(kStateidBytes);
        a.offset = in.u64();
        in.skip(4);
        break;
      case kOpWrite: {
        Part w;
        in.skip(kStateidBytes);
        w.offset = in.u64();
        in.skip(4);
        w.size = in.u32();
        w.handle = current;
        w.data = data_of(in, w.size);
        in.skip(std::min<size_t>((4 - w.size % 4) % 4, in.remaining()));
        if (w.data.size() == w.size) a.write = std::move(w);
        break;
      }
      case kOpClose:
        in.skip(4 + kStateidBytes);
        break;
      case kOpCommit:
        in.skip(12);
        break;
      default:
        more = skip_arguments4(in, op);
        break;
    }
  }
  if (a.procedure != kOpWrite) a.write.reset();
  return a;
}

void NfsParser::results4(ByteReader& in, const OpenCall& call, Results& r) {
  if (in.remaining() < 4) return;
  r.status = in.u32();
  (void)read_opaque(in, 1024);
  const uint32_t count = in.u32();
  for (uint32_t i = 0; i < std::min<size_t>(count, kMaxOperations) && in.ok(); ++i) {
    const uint32_t op = in.u32(), status = in.u32();
    if (!in.ok() || status != 0) return;
    switch (op) {
      case kOpPutfh:
      case kOpPutpubfh:
      case kOpPutrootfh:
      case kOpSavefh:
      case kOpRestorefh:
      case kOpLookup:
      case kOpLookupp:
        break;
      case kOpSequence:
        in.skip(16 + 20);
        break;
      case kOpAccess:
        in.skip(8);
        break;
      case kOpGetattr:
        skip_bitmap(in);
        (void)read_opaque(in, 64 * 1024);
        break;
      case kOpGetfh: {
        const Bytes h = read_opaque(in, kMaxHandleBytes);
        if (in.ok() && !call.name.empty()) name_handle(h, call.name);
        break;
      }
      case kOpOpen: {
        in.skip(kStateidBytes + 4 + 16 + 4);
        skip_bitmap(in);
        if (in.u32() != 0) return;  // with a delegation
        break;
      }
      case kOpRead: {
        r.end_of_file = in.u32() != 0;
        Part p;
        p.size = in.u32();
        if (!in.ok()) return;
        p.data = data_of(in, p.size);
        if (p.data.size() == p.size) r.read = std::move(p);
        return;
      }
      default:
        return;
    }
  }
}

}  // namespace vong::nfs
