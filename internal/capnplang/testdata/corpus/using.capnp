@0xb7c3d0e1f2a55445;
# Aliases of files, types, constants and members of aliases.

using Lib = import "path/lib/shapes.capnp";
using import "path/lib/shapes.capnp".Point;
using Lib.Named;
using P = Point;
using PointAgain = P;
using Inside = Named.Inside;
using Unused = import "path/lib/nothing.capnp";

struct Local {
  using Mine = Point;
  p @0 :Mine;
  q @1 :List(P);
  r @2 :Named.Inside;
  s @3 :Inside;
  t @4 :import "path/lib/shapes.capnp".Point;
}

const value :Local = (p = (x = 1), q = [(x = 2), .Lib.corner], r = (name = "r"), s = Named.standard,
    t = import "path/lib/shapes.capnp".corner);
const direct :import "path/lib/shapes.capnp".Point = (y = 3);
const alias :PointAgain = .corner;
const member :Local.Mine = (y = 4);
using corner = Lib.corner;
