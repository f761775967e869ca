@0xb7c3d0e1f2a41eef;
# Integers of all sizes, at their bounds, in all notations.

struct Ints {
  i8 @0 :Int8;
  i16 @1 :Int16;
  i32 @2 :Int32;
  i64 @3 :Int64;
  u8 @4 :UInt8;
  u16 @5 :UInt16;
  u32 @6 :UInt32;
  u64 @7 :UInt64;
}

const lowest :Ints = (i8 = -128, i16 = -32768, i32 = -2147483648, i64 = -9223372036854775808);
const highest :Ints = (i8 = 127, i16 = 32767, i32 = 2147483647, i64 = 9223372036854775807,
    u8 = 255, u16 = 65535, u32 = 4294967295, u64 = 18446744073709551615);
const hex :Ints = (i8 = -0x80, u8 = 0xff, u64 = 0xFFFFffffFFFFffff, i32 = 0x0);
const octal :Ints = (i32 = 0755, u8 = 0377, i8 = -010, i16 = 00);
const spaced :Ints = (i8 = - 5);
const converted :Ints = (i8 = .five, u64 = .five, i64 = .minus, i16 = .minus);

const five :UInt32 = 5;
const minus :Int8 = -5;
