@0xb7c3d0e1f2a4d889;
# Groups share the layout of what is around them; unions share one place.

struct Shape {
  name @0 :Text;
  size :group {
    width @1 :UInt16 = 3;
    height @2 :UInt16;
    unit :group { name @3 :Text; exact @4 :Bool; }
  }
  fill :union {
    none @5 :Void;
    color @6 :UInt32;
    picture @7 :Text;
    pattern :group { dots @8 :UInt8; lines @9 :UInt64; which :union { a @10 :Void; b @11 :Text; } }
  }
  union {
    circle @12 :Float64;
    square @13 :Bool;
    polygon @14 :List(Float32);
    other @15 :Shape;
  }
  after @16 :Bool;
}

const unset :Shape = ();
const groups :Shape = (size = (width = 3, height = 4, unit = (name = "cm", exact = true)));
const emptyGroups :Shape = (size = (), fill = ());
const defaultOfUnion :Shape = (fill = (none = void), circle = 0);
const valueOfUnion :Shape = (fill = (color = 0), square = false);
const pointerOfUnion :Shape = (fill = (picture = ""), polygon = []);
const groupOfUnion :Shape = (fill = (pattern = (lines = 7)), other = ());
const deep :Shape = (fill = (pattern = (which = (b = "b"))), other = (other = (square = true, after = true)));
