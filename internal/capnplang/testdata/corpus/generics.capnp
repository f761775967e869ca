@0xb7c3d0e1f2a5b112;
# In values a parameter is what it stands for; without that, AnyPointer.

struct Box(T) {
  value @0 :T;
  next @1 :Box(T);
  text @2 :Box(Text);
  inner @3 :Inner;
  number @4 :Int32;
  which :union { a @5 :T; b @6 :Void; }

  struct Inner { deep @0 :T; using Same = T; same @1 :Same; }
  struct Pair(U) { first @0 :T; second @1 :U; }
}

struct Thing { name @0 :Text; }

const boxed :Box(Text) = (value = "v", next = (value = "n"), text = (value = "t"), inner = (deep = "d", same = "s"), number = 1,
    which = (a = "a"));
const boxedThing :Box(Thing) = (value = (name = "v"), text = (value = "t"), inner = (deep = (name = "d")));
const list :Box(List(Thing)) = (value = [(name = "a"), .thing]);
const twice :Box(Box(Thing)) = (value = (value = (name = "x")));
const pair :Box(Text).Pair(Thing) = (first = "1", second = (name = "2"));
const inside :Box(Data).Inner = (deep = 0x"07");
const thing :Thing = (name = "thing");
