@0xb7c3d0e1f2a62cce;
# Interfaces are read, but capabilities have no values.

using Util = import "/sandstorm/util.capnp";

interface Node @0xd3f5a6b7c8d9e001 {
  ping @0 ();
  get @1 (name :Text, n :Int32 = 5) -> (node :Node, value :Util.Assignable(Text));
  put @2 Argument -> Result;
  generic @3 [T, U] (t :T, u :Box(U)) -> (box :Box(T));
  write @4 (bytes :Data) -> stream $note("n");
  annotated @5 (a :Int8 $note("a")) -> () $note("m");

  struct Argument { a @0 :Int32; node @1 :Node; }
  struct Result { capability @0 :Capability; }
  enum Mode { fast @0; slow @1; }
}

interface Leaf extends (Node, Base(Text)) {
  leaf @0 () -> Node.Result;
}

interface Base(T) { base @0 (t :T); }
struct Box(T) { t @0 :T; }
annotation note (*) :Text;

struct Holder {
  node @0 :Node;
  mode @1 :Node.Mode;
  argument @2 :Node.Argument;
  nodes @3 :List(Node);
  base @4 :Base(Data);
}

const value :Holder = (mode = slow, argument = (a = 1));
