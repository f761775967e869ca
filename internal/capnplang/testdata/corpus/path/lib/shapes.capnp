@0xb7c3d0e1f2a57334;
# Imported by others.

struct Point { x @0 :Int32; y @1 :Int32; }

struct Named {
  name @0 :Text;
  struct Inside { name @0 :Text; }
  const standard :Inside = (name = "standard");
}

const corner :Point = (x = .edge, y = 10);
const edge :Int32 = 9;
