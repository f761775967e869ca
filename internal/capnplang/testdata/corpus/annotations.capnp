@0xb7c3d0e1f2a60ddf;
# Annotations do not change values; unknown ones do not matter until needed.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("example::test");

annotation note @0xe2b7b8f7d4f0a001 (*) :Text;
annotation flag (struct, field, enum, enumerant, union, group, const) :Void;
annotation info(field) :Info;

struct Info $flag { id @0 :Text $note("id") $flag; n @1 :Int32 = 3 $info(id = "n", n = 4); }

enum Kind $flag { a @0 $flag; b @1 $note("b" " b"); }

struct Annotated $flag $note("struct") {
  u :union $flag { x @0 :Void $flag; y @1 :Text; }
  g :group $flag { z @2 :Int8; }
  union { p @3 :Void; q @4 :Int8; }
  k @5 :Kind;
}

const value :Annotated = (u = (y = "y"), g = (z = 1), q = 2, k = b) $flag;
const after :Annotated = (k = a) $note("const") $Cxx.name("x");
