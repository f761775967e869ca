@0xb7c3d0e1f2a4aaaa;
# Files may import each other.

using Imports = import "imports.capnp";

struct Back { n @0 :Int32; uses @1 :Imports.Uses; }
const back :Back = (n = Imports.back);
