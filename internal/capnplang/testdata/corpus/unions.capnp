@0xb7c3d0e1f2a4f778;
# Where a union's discriminant lies depends on the numbers.

struct Explicit {
  a @0 :UInt8;
  which @1! :union { b @2 :UInt8; c @3 :UInt64; }
  d @4 :UInt32;
}

struct Retroactive {
  which @1! :union { a @0 :UInt8; b @2 :UInt32; }
  c @3 :Bool;
}

struct Unnamed {
  a @0 :Text;
  union { b @3 :Text; c @1 :Void; d @2 :Int8; }
}

struct NullFirst {
  union { list @0 :List(Text); none @1 :Void; }
  which :union { data @2 :Data; text @3 :Text; }
  third :union { struct @4 :Explicit; number @5 :Int64; }
  fourth :union { preset @6 :Text = "given"; void @7 :Void; }
}

const explicit :Explicit = (a = 1, which = (c = 2), d = 3);
const retroactive :Retroactive = (which = (b = 5), c = true);
const retroactiveFirst :Retroactive = (which = (a = 5));
const unnamed :Unnamed = (a = "a", d = -3);
const nullFirst :NullFirst = ();
const nulls :NullFirst = (list = [], which = (data = ""), third = (struct = ()), fourth = (preset = ""));
const others :NullFirst = (none = void, which = (text = ""), third = (number = 0), fourth = (void = void));
