@0xb7c3d0e1f2a5d001;
# What goes into an AnyPointer is a constant with a type. The tool writes such
# values as messages, but not as JSON.

struct Any {
  a @0 :AnyPointer;
  s @1 :AnyStruct;
  l @2 :AnyList;
  box @3 :Box;
  number @4 :Int32;
}

struct Box(T) { value @0 :T; }
struct Thing { name @0 :Text; n @1 :UInt8 = 3; }

const none :Any = (number = 1);
const pointers :Any = (a = .thing, s = .thing, l = .things, box = (value = .thing));
const lists :Any = (a = .things);
const nested :Any = (a = .pointers);
const thing :Thing = (name = "thing", n = 4);
const things :List(Thing) = [.thing, ()];
