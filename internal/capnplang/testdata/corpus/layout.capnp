@0xb7c3d0e1f2a6899b;
# A wide mix: each field fills a hole that earlier ones left.

struct Mix {
  a @0 :Bool;
  b @1 :UInt64;
  c @2 :UInt8;
  d @3 :Bool;
  e @4 :UInt32;
  f @5 :UInt16;
  g @6 :Text;
  h @7 :UInt8;
  i @8 :Float64;
  j @9 :Bool;
  u :union {
    k @10 :UInt8;
    l @11 :UInt64;
    m :group { n @12 :UInt16; o @13 :Bool; p @14 :UInt32; q @15 :Text; r @16 :Text; }
    s @17 :Text;
  }
  t @18 :UInt16;
  w @19 :Void;
  x @20 :Data;
}

const filled :Mix = (a = true, b = 0x1111111111111111, c = 0x22, d = true, e = 0x33333333, f = 0x4444, g = "g", h = 0x55,
    i = 1.5, j = true, u = (m = (n = 0x6666, o = true, p = 0x77777777, q = "q", r = "r")), t = 0x8888, w = void, x = 0x"99");
const second :Mix = (u = (l = 0xffffffffffffffff), a = true, j = true);
const third :Mix = (u = (s = "s"), x = "");
