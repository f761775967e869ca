@0xb7c3d0e1f2a59223;
# Relative and absolute imports; files that import each other.

using Shapes = import "/lib/shapes.capnp";
using Circle = import "./files/../circle.capnp";
using Util = import "/sandstorm/util.capnp";

struct Uses {
  a @0 :Shapes.Point;
  b @1 :Circle.Back;
  t @2 :Util.LocalizedText;
}

const value :Uses = (a = Shapes.corner, b = Circle.back,
    t = (defaultText = "hi", localizations = [(locale = "fi", text = "hei")]));
const back :Int32 = 10;
