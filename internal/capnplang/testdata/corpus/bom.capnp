# With a byte order mark and the line ends of Windows.
@0xb7c3d0e1f2a4ffff;
struct S { t @0 :Text; }
const x :S = (
  t = "xé" # comment
);
